package import HTTP1
package import HTTPTypes

/// The operation that a request asks for. It is found once for each request, when it is admitted, and goes with the request from there.
package final class Routing: RequestContext {
    /// What is at the path, whether or not it has the method.
    package let resource: Resource?
    /// Nil for OPTIONS, and where the request leads nowhere.
    let operation: Operation?
    /// Empty where its percent-encoding is broken.
    let target: Target
    /// Why the request leads nowhere.
    let fault: ProblemDetails?

    package convenience init(_ head: HTTPRequest) { self.init(head.method, head.path ?? "/") }

    /// The routing that goes with a request, or a new one.
    package static func of(_ request: ServerRequest) -> Routing { request.context as? Routing ?? Routing(request.head) }

    init(_ method: HTTPRequest.Method, _ text: String) {
        let found = Target(text)
        target = found ?? Target.nowhere
        resource = found.flatMap { Resource.find($0.path) }
        do throws(ProblemDetails) {
            operation = try Self.operation(method, found, resource)
            fault = nil
        } catch {
            operation = nil
            fault = error
        }
    }

    private static func operation(_ method: HTTPRequest.Method, _ target: Target?, _ resource: Resource?) throws(ProblemDetails) -> Operation? {
        guard let target else {
            throw ProblemDetails(
                status: .badRequest, type: .http, title: "Bad Request",
                detail: "the target's percent-encoding must be two hexadecimal digits of UTF-8")
        }
        guard let resource else { throw nothing }
        guard resource.methods.contains(method) else {
            throw ProblemDetails(
                status: .methodNotAllowed, type: .methodNotAllowed, title: "The resource has no such method",
                detail: "\(resource.allow) expected; \(method.rawValue) came", headerFields: [.allow: resource.allow])
        }
        if !target.query.isEmpty { try QueryParameter.check(target.query, against: resource.query(method)) }
        return resource.operation(method)
    }

    /// What stands in the path in place of names.
    var path: PathSegments { PathSegments(template: resource?.template, path: target.path) }

    static var nothing: ProblemDetails {
        ProblemDetails(
            status: .notFound, type: .notFound, title: "There is nothing here",
            detail: "one of \(Resource.all.map(\.path).joined(separator: ", ")) expected")
    }
}
