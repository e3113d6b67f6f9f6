internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes

/// A request whose operation is known.
struct RoutedRequest: Sendable {
    let request: ServerRequest
    let operation: Operation
    let target: Target
    let path: PathSegments

    /// - Throws: why it leads nowhere.
    init(_ request: ServerRequest) throws(ProblemDetails) {
        var request = request
        let routing = Routing.of(&request)
        if let fault = routing.fault { throw fault }
        guard let operation = routing.operation, let target = routing.target, let resource = routing.resource else { throw Routing.nothing }
        self.request = request
        self.operation = operation
        self.target = target
        path = PathSegments(template: resource.template, path: target.path)
    }

    var head: HTTPRequest { request.head }
    var body: [UInt8] { request.body }
    /// The memory of the body, in the budget.
    var bodyLease: MemoryBudget.Lease? { request.bodyLease }
    var content: RequestContent { RequestContent(request) }
}
