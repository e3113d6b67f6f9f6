internal import Jobs
internal import LinearAlgebra

/// A network that a request names, in either of the forms in which there are networks.
enum NetworkReference: Sendable {
    /// Of the grammar of architectures.
    case architecture(NetworkSource)
    /// From a model file.
    case file(ModelFile)

    /// The same network, named by its id somewhere in a request.
    func stored(at pointer: String, id: String, _ programs: ModelPrograms) -> NetworkReference {
        switch self {
        case .architecture(let source): .architecture(source.stored(at: pointer, id: id))
        case .file(let file): .file(file.stored(at: pointer, id: id, programs))
        }
    }

    /// Bytes that it takes in memory.
    var storedBytes: Int {
        switch self {
        case .architecture(let source): source.givenCount * 8 + 4096
        case .file(let file): file.storedBytes + 4096
        }
    }
}

/// What is computed of a network from a file.
protocol ModelTask: ComputeTask {
    func answer(on tiles: any TileExecutor) throws -> Answer
}

extension ModelFile {
    /// Reads the rest of a request whose network is a file's.
    typealias TaskReader = (inout ObjectReader, ModelFile, KernelRequest.Precision) throws(ProblemDetails) -> any ModelTask

    /// The task in the precision that the request asks for.
    func task(_ reader: inout ObjectReader, _ float64: TaskReader, _ float32: TaskReader) throws(ProblemDetails) -> any ModelTask {
        let precision: KernelRequest.Precision = try reader.choice("precision", default: .float64)
        switch precision {
        case .float64: return try float64(&reader, self, precision)
        case .float32: return try float32(&reader, self, precision)
        }
    }
}

/// A task of a network of either form.
enum NetworkTask<Request: ComputeTask>: ComputeTask {
    case architecture(Request)
    case file(any ModelTask)

    private var task: any ComputeTask {
        switch self {
        case .architecture(let request): request
        case .file(let task): task
        }
    }

    var peakBytes: Int { task.peakBytes }
    func workingBytes(threads: Int) -> Int { task.workingBytes(threads: threads) }
    var work: Work { task.work }
    var tableBytes: Int { task.tableBytes }
    var batch: BatchMembership? { task.batch }
    var answersOneArray: Bool { task.answersOneArray }

    /// How such a task is done, from how one of an architecture is.
    static func answer(
        _ answer: @escaping @Sendable (Request, any TileExecutor) throws -> Answer
    ) -> @Sendable (NetworkTask, any TileExecutor) throws -> Answer {
        { task, tiles in
            switch task {
            case .architecture(let request): try answer(request, tiles)
            case .file(let task): try task.answer(on: tiles)
            }
        }
    }
}

extension NetworkTask: BlockwiseTask where Request: BlockwiseTask {
    func answer(in run: JobRun, on tiles: any TileExecutor) throws -> ComputedAnswer? {
        switch self {
        case .architecture(let request): try request.answer(in: run, on: tiles)
        case .file(let task): try (task as? any BlockwiseTask)?.answer(in: run, on: tiles)
        }
    }
}
