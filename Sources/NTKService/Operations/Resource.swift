package import HTTPTypes
package import Metrics

/// A path with its operations.
package final class Resource: Sendable {
    /// A segment in braces stands for any one segment.
    package let path: String
    package let methods: [HTTPRequest.Method]
    /// The path as a label of metrics.
    package let label: LabelValue
    let template: PathTemplate
    private let operations: [Operation]
    private let audience: Operation.Audience
    /// Whether it is what orchestrators and monitoring ask every few seconds.
    package let isProbe: Bool

    private static let order: [HTTPRequest.Method] = [.get, .head, .post, .delete, .options]

    private init(_ path: String, _ operations: [Operation]) {
        self.path = path
        self.operations = operations
        template = PathTemplate(path)
        label = LabelValue(ofThisBuild: path)
        let offered = operations.map(\.method) + [.options] + (operations.contains { $0.method == .get } ? [.head] : [])
        methods = Self.order.filter(offered.contains)
        audience = operations.contains { $0.audience == .clients } ? .clients : operations.first?.audience ?? .clients
        isProbe = operations.contains(where: \.isProbe)
    }

    /// Everything that there is, in the order of the records.
    static let all: [Resource] = {
        var paths: [String] = []
        for operation in Operation.all where !paths.contains(operation.path) { paths.append(operation.path) }
        return paths.map { path in Resource(path, Operation.all.filter { $0.path == path }) }
    }()

    private static let plain = Dictionary(uniqueKeysWithValues: all.filter(\.template.isPlain).map { ($0.path, $0) })
    private static let templates = all.filter { !$0.template.isPlain }

    /// What is at a path.
    static func find(_ path: String) -> Resource? {
        if let resource = plain[path] { return resource }
        let octets = path.utf8.span
        return templates.first { $0.template.matches(octets) }
    }

    /// The operation of a method; a HEAD is a GET whose content is not sent.
    func operation(_ method: HTTPRequest.Method) -> Operation? {
        let method = method == .head ? .get : method
        return operations.first { $0.method == method }
    }

    /// The query parameters that a method takes; of OPTIONS those of all others, which it asks about.
    func query(_ method: HTTPRequest.Method) -> [QueryParameter] {
        guard method == .options else { return operation(method)?.query ?? [] }
        return operations.flatMap(\.query)
    }

    /// The `Allow` field.
    var allow: String { methods.map(\.rawValue).joined(separator: ", ") }

    /// Whether everyone may ask for it, without a key and without a limit.
    /// - Parameter opensMetrics: whether the operator lets everyone read the metrics.
    package func isOpen(opensMetrics: Bool) -> Bool {
        switch audience {
        case .clients: false
        case .everyone: true
        case .monitoring: opensMetrics
        }
    }
}
