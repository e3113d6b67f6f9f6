internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/attributions` of trained classifiers, validated.
struct ClassifierAttributionRequest: ComputeTask {
    enum Kind: String, CaseIterable, Sendable {
        case trak
        case gaussNewton = "gauss_newton"
    }

    /// Checkpoints of one network, or of several, with the same points.
    struct Checkpoint: Sendable {
        let network: any TangentKernelSource
        let test: any TestKernel
    }

    let checkpoints: [Checkpoint]
    let kind: Kind
    let labels: [Int]
    /// Nil for the classes that the networks together predict.
    let testLabels: [Int]?
    /// λ of TRAK, δ of influence functions.
    let ridge: Double
    let top: Int?

    private static let mostCheckpoints = 64

    init(_ reader: consuming ObjectReader, _ networks: NetworkStore) throws(ProblemDetails) {
        kind = try reader.choice("kind", default: .trak)
        let pointer = reader.pointer(to: "networks")
        guard let values = reader.optional("networks")?.listElements, (1...Self.mostCheckpoints).contains(values.count) else {
            throw .invalid(pointer, "a list of 1 to \(Self.mostCheckpoints) networks expected")
        }
        var checkpoints: [Checkpoint] = []
        for (index, value) in values.enumerated() {
            let reference = try networks.reference(value, at: "\(pointer)/\(index)")
            let network = try reader.tangentKernel(reference, points: "x_train", pattern: "pattern_train")
            let test = try network.readTest(&reader, .beside)
            if let first = checkpoints.first, first.network.outputs != network.outputs {
                throw .invalid(
                    "\(pointer)/\(index)", "a network of \(first.network.outputs ?? 1) outputs expected, as the first; it has \(network.outputs ?? 1)"
                )
            }
            checkpoints.append(Checkpoint(network: network, test: test))
        }
        self.checkpoints = checkpoints
        let first = checkpoints[0]
        let k = first.network.outputs ?? 1
        guard let labels = try reader.outputLabels("labels", points: first.network.count, outputs: k) else {
            throw .invalid(
                reader.pointer(to: "labels"), "labels expected, the class of each training point as the place of an output; the field is missing")
        }
        self.labels = labels
        testLabels = try reader.outputLabels("labels_test", points: first.test.count, outputs: k)
        ridge = try reader.number("ridge", default: 0)
        guard ridge >= 0 else { throw .invalid(reader.pointer(to: "ridge"), "a ridge of 0 or more expected; \(ridge) came") }
        if kind == .gaussNewton, ridge == 0 {
            throw .invalid(reader.pointer(to: "ridge"), "a ridge above 0 expected with \"gauss_newton\", which is added to the Gauss–Newton matrix")
        }
        top = try reader.top(of: first.network.count)
        try reader.finish(orNull: AttributionRequest.fields)
        guard kind == .trak || first.network.order <= PosteriorRequest.mostOutputs else {
            throw .overSize(
                "/x_train",
                "at most \(PosteriorRequest.mostOutputs) outputs of all training points together expected with \"gauss_newton\"; "
                    + "\(first.network.count) points of \(k) outputs came")
        }
    }

    // MARK: Cost

    var work: Work {
        var work = Work(.calls, 50).onOneThread
        for checkpoint in checkpoints {
            let (n, t) = (Double(checkpoint.network.count), Double(checkpoint.test.count))
            let m = Double(checkpoint.network.order)
            work += checkpoint.network.work(.cross, points: checkpoint.test.count)
            switch kind {
            case .trak:
                // Rows with all points, both halves.
                work += checkpoint.network.gramWork * 2 + Work(.loops, 2 * m * (n + t) * Double(checkpoint.network.outputs ?? 1))
                work += Work.cholesky(checkpoint.network.count) + Work(.factorizations, 2 * t * n * n)
            case .gaussNewton:
                work += checkpoint.network.gramWork + Work.cholesky(checkpoint.network.order) + Work(.factorizations, 2 * t * m * m)
                work += Work(.loops, 10 * m * m) + Work(.products, 2 * t * m * n)
            }
        }
        return work
    }

    var peakBytes: Int {
        guard let first = checkpoints.first else { return 0 }
        let (n, t, m, k) = (Count(first.network.count), Count(first.test.count), Count(first.network.order), Count(first.network.outputs ?? 1))
        let points = checkpoints.reduce(Count(0)) { $0 + (n + t) * 3 * Count($1.network.numbersPerPoint) }
        let kernels =
            switch kind {
            case .trak: n * n + t * n * 4 + Count(first.network.blockBytes / 4)
            case .gaussNewton: m * m * 2 + t * k * m * 3 + m * n * 2 + t * n * 4
            }
        return ((points + kernels) * 8).value
    }

    var tableBytes: Int { checkpoints.reduce(0) { $0.addingClamped($1.network.tableBytes) } }

    func workingBytes(threads: Int) -> Int {
        checkpoints.map { $0.network.workingBytes(with: $0.test.count, threads: threads) }.max() ?? 0
    }
}
