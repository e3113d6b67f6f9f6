internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes

/// A request whose operation is known.
struct RoutedRequest: Sendable {
    let request: ServerRequest
    let operation: Operation
    private let routing: Routing

    /// - Throws: why it leads nowhere.
    init(_ request: ServerRequest) throws(ProblemDetails) {
        self.request = request
        routing = .of(request)
        if let fault = routing.fault { throw fault }
        guard let operation = routing.operation else { throw Routing.nothing }
        self.operation = operation
    }

    var head: HTTPRequest { request.head }
    var body: [UInt8] { request.body }
    var target: Target { routing.target }
    var path: PathSegments { routing.path }
    /// The memory of the body, in the budget.
    var bodyLease: MemoryBudget.Lease? { request.bodyLease }
    var content: RequestContent { RequestContent(request) }
}
