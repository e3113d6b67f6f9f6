internal import HTTPTypes
internal import LinearAlgebra

/// A validated request for a computation, with what it will cost.
protocol ComputeTask: Sendable {
    /// Bytes of its matrices at the most.
    var peakBytes: Int { get }
    /// Bytes beside them of what as many threads work in.
    func workingBytes(threads: Int) -> Int
    /// What is to be done.
    var work: Work { get }
    /// Bytes of the tables of its architectures, which were made when it was read.
    var tableBytes: Int { get }
    /// With what it can be computed together.
    var batch: BatchMembership? { get }
    /// Whether the answer is one array, so that it can be had as `.npy`.
    var answersOneArray: Bool { get }
}

extension ComputeTask {
    func workingBytes(threads: Int) -> Int { 0 }
    var tableBytes: Int { 0 }
    var batch: BatchMembership? { nil }
    var answersOneArray: Bool { false }

    /// All bytes that it takes where as many threads compute.
    func peakBytes(threads: Int) -> Int { peakBytes.addingClamped(workingBytes(threads: threads)) }
}

/// What a computation answers.
struct ComputedAnswer: Sendable {
    var status: HTTPResponse.Status = .ok
    var headerFields: HTTPFields = [:]
    var body: Answer
    /// Of its arrays those that stand first and are in the files of a job already.
    var storedArrays = 0

    init(_ body: Answer) { self.body = body }
}
