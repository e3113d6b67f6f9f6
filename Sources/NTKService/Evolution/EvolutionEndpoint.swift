internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let kernelEvolutions = computing("/v1/kernel-evolutions") { service, _, _ in
        let networks = service.networks
        return Computation({ value throws(ProblemDetails) in try EvolutionRequest(value, networks) }, answer: EvolutionEndpoint.answer)
    }
}

/// `POST /v1/kernel-evolutions`, validated.
struct EvolutionRequest: ComputeTask {
    /// Which outputs' kernel is looked at.
    enum Outputs: String, CaseIterable, Sendable {
        /// Of each pair of points the trace over outputs, averaged or summed.
        case mean, sum
        /// Rows are all outputs of all points.
        case full
    }

    let checkpoints: [any TangentKernelSource]
    let outputs: Outputs
    let targets: Targets?

    private static let mostCheckpoints = 1_000

    init(_ value: JSONValue, _ networks: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        guard let values = reader.optional("networks")?.listElements, (1...Self.mostCheckpoints).contains(values.count) else {
            throw .invalid("/networks", "a list of 1 to \(Self.mostCheckpoints) networks expected, in the order of their training")
        }
        var checkpoints: [any TangentKernelSource] = []
        for (index, value) in values.enumerated() {
            let network = try reader.tangentKernel(networks.reference(value, at: "/networks/\(index)"), points: "x", pattern: "pattern")
            if let first = checkpoints.first, first.outputs != network.outputs {
                throw .invalid(
                    "/networks/\(index)", "a network of \(first.outputs ?? 1) outputs expected, as the first; it has \(network.outputs ?? 1)")
            }
            checkpoints.append(network)
        }
        self.checkpoints = checkpoints
        outputs = try reader.choice("outputs", default: .mean)
        let hasTargets = reader.optional("y") != nil || reader.optional("labels") != nil
        targets = hasTargets ? try Targets(&reader, count: checkpoints[0].count, values: "y") : nil
        if outputs == .full, let targets { try checkpoints[0].check(targets, "y") }
        try reader.finish(orNull: ["pattern", "output", "data_format"])
    }

    /// Rows of the kernel.
    private var order: Int { outputs == .full ? checkpoints[0].order : checkpoints[0].count }

    var work: Work {
        let m = Double(order)
        let columns = Double((targets?.matrix.columns ?? 0) * 2)
        let each =
            Work.tridiagonal(order) + Work(.formulas, 10 * m * m).onOneThread + Work(.products, 2 * m * m * columns) + Work(.memory, 64 * m * m)
        return checkpoints.reduce(Work(.calls, 20).onOneThread) { $0 + $1.gramWork + each }
    }

    var peakBytes: Int {
        let (m, first) = (Count(order), checkpoints[0])
        let points = checkpoints.reduce(Count(0)) { $0 + Count(first.count) * 3 * Count($1.numbersPerPoint) }
        return ((m * m * 5 + points + m * 4 * Count(targets?.matrix.columns ?? 0)) * 8).value
    }

    var tableBytes: Int { checkpoints.reduce(0) { $0.addingClamped($1.tableBytes) } }
    func workingBytes(threads: Int) -> Int { checkpoints.map { $0.workingBytes(with: 0, threads: threads) }.max() ?? 0 }
}

/// Computes and words the answer of `POST /v1/kernel-evolutions`.
enum EvolutionEndpoint {
    static func answer(_ request: EvolutionRequest, tiles: any TileExecutor) throws -> Answer {
        var json = JSONWriter()
        json.beginArray()
        var (first, previous): (Matrix<Double>?, Matrix<Double>?)
        for checkpoint in request.checkpoints {
            let kernel = try kernel(checkpoint, request.outputs, on: tiles)
            guard kernel.isFinite else { throw ProblemDetails(LaplaceError.overflow) }
            let state = try KernelState(kernel, on: tiles)
            json.beginObject()
            json.number("trace", state.trace)
            json.number("largest_eigenvalue", state.largestEigenvalue)
            json.number("effective_rank", state.effectiveRank)
            json.number("entropy", state.entropy)
            if let targets = request.targets { try write(targets, request, kernel, state, to: &json, on: tiles) }
            json.number("distance_to_previous", previous.flatMap { KernelState.distance($0, kernel) })
            json.number("distance_to_first", first.map { KernelState.distance($0, kernel) } ?? 0)
            json.endObject()
            if first == nil { first = kernel }
            previous = kernel
        }
        json.endArray()
        var body = Answer()
        body.append("checkpoints", .json(json.bytes))
        if case .classes(let classes) = request.targets { body.append("classes", json: ClassTargets.text(classes.classes)) }
        return body
    }

    private static func kernel(
        _ checkpoint: any TangentKernelSource, _ outputs: EvolutionRequest.Outputs, on tiles: any TileExecutor
    ) throws -> Matrix<Double> {
        if outputs == .full { return try checkpoint.trainTrain(.ntk, DuplicateGroups(distinct: checkpoint.order), on: tiles) }
        return try checkpoint.traceKernel(isMean: outputs == .mean, on: tiles)
    }

    /// Alignments with all targets, and with each of their columns.
    private static func write(
        _ targets: Targets, _ request: EvolutionRequest, _ kernel: Matrix<Double>, _ state: KernelState, to json: inout JSONWriter,
        on tiles: any TileExecutor
    ) throws {
        let (all, k) = (targets.matrix, targets.matrix.columns)
        func rows(_ values: Matrix<Double>) -> Matrix<Double> {
            request.outputs == .full ? values.reshaped(rows: values.rows * k, columns: 1) : values
        }
        json.number("alignment", try state.alignment(kernel, rows(all), on: tiles))
        json.numbers(
            "class_alignments",
            try (0..<k).map { column in
                guard request.outputs == .full else { return try state.alignment(kernel, all.columns([column]), on: tiles) }
                let own = Matrix<Double>(zeroRows: all.rows, columns: k)
                for row in 0..<all.rows { own.storage.set(row * k + column, all[row, column]) }
                return try state.alignment(kernel, rows(own), on: tiles)
            })
    }
}
