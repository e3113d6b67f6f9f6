/// A validated request for a computation, with what it will cost.
protocol ComputeTask: Sendable {
    /// Bytes of its matrices at the most.
    var peakBytes: Int { get }
    /// Floating-point operations, to within a small factor.
    var operations: Int { get }
}
