internal import HTTPTypes

/// A validated request for a computation, with what it will cost.
protocol ComputeTask: Sendable {
    /// Bytes of its matrices at the most.
    var peakBytes: Int { get }
    /// Floating-point operations, to within a small factor.
    var operations: Int { get }
}

/// What a computation answers.
struct ComputedAnswer: Sendable {
    var status: HTTPResponse.Status = .ok
    var headerFields: HTTPFields = [:]
    var body: JSONBody

    init(_ body: JSONBody) { self.body = body }
}
