internal import LinearAlgebra
internal import TensorFormats

/// What an operation computes: how the value in a request's body becomes a task, which knows its cost, and how the task is done. It is the same
/// for a client that waits and for a job.
protocol Computing: Sendable {
    associatedtype Task: ComputeTask

    /// The only validation of a request.
    func decode(_ value: JSONValue) throws(ProblemDetails) -> Task
    func run(_ task: Task, on tiles: any TileExecutor) throws -> ComputedAnswer
}

/// A computation of two functions.
struct Computation<Task: ComputeTask>: Computing {
    private let decoding: @Sendable (JSONValue) throws(ProblemDetails) -> Task
    private let work: @Sendable (Task, any TileExecutor) throws -> ComputedAnswer

    init(
        _ decode: @escaping @Sendable (JSONValue) throws(ProblemDetails) -> Task,
        run: @escaping @Sendable (Task, any TileExecutor) throws -> ComputedAnswer
    ) {
        decoding = decode
        work = run
    }

    /// One whose answer has no status or fields of its own.
    init(
        _ decode: @escaping @Sendable (JSONValue) throws(ProblemDetails) -> Task,
        answer: @escaping @Sendable (Task, any TileExecutor) throws -> Answer
    ) {
        self.init(decode) { task, tiles in ComputedAnswer(try answer(task, tiles)) }
    }

    func decode(_ value: JSONValue) throws(ProblemDetails) -> Task { try decoding(value) }
    func run(_ task: Task, on tiles: any TileExecutor) throws -> ComputedAnswer { try work(task, tiles) }
}
