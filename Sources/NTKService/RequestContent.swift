internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes

/// The body of a request, a client's or a job's, and what tells how to read it.
struct RequestContent: Sendable {
    let bytes: [UInt8]
    /// As the field `Content-Type` has it; empty without one.
    let type: String
    /// The memory of the body, in the budget.
    let lease: MemoryBudget.Lease?

    init(bytes: [UInt8], type: String, lease: MemoryBudget.Lease? = nil) {
        self.bytes = bytes
        self.type = type
        self.lease = lease
    }

    init(_ request: ServerRequest) {
        self.init(bytes: request.body, type: request.head.headerFields.value(.contentType) ?? "", lease: request.bodyLease)
    }
}
