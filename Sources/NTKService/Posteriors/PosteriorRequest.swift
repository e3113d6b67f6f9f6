internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// How probabilities come from the posterior of logits.
enum PosteriorLink: String, CaseIterable, Sendable {
    case probit, samples
}

/// `POST /v1/posteriors`, validated.
struct PosteriorRequest: ComputeTask {
    /// What the network was trained on.
    enum Data: Sendable {
        case classes([Int])
        /// [n, k] with noise of variance σ².
        case values(Matrix<Double>, noise: Double)
    }

    let network: any TangentKernelSource
    let data: Data
    let precision: LaplacePosterior.Precision
    let test: (any TestKernel)?
    let link: PosteriorLink
    let samples: Int
    let seed: UInt64
    let testLabels: [Int]?
    let testTargets: Matrix<Double>?
    /// Directions of weights; nil for all.
    let rank: Int?

    /// Outputs of all training points whose square is factored; of more some directions are taken.
    static let mostOutputs = 10_000
    private static let standardRank = 2_000
    private static let mostSamples = 1_000_000

    init(_ value: JSONValue, _ networks: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        let reference = try reader.network("network", networks)
        network = try reader.tangentKernel(reference, points: "x_train", pattern: "pattern_train")
        let (n, k) = (network.count, network.outputs ?? 1)
        let labels = try reader.outputLabels("labels", points: n, outputs: k)
        let targets = try reader.targets("y_train", count: n)
        let noise = try reader.optionalNumber("noise")
        switch (labels, targets) {
        case (let labels?, nil):
            guard noise == nil else { throw .invalid("/noise", "no noise expected with labels") }
            data = .classes(labels)
        case (nil, let targets?):
            guard targets.matrix.columns == k else {
                throw .invalid("/y_train", "\(k) targets a point expected, one for each output of the network; \(targets.matrix.columns) came")
            }
            guard let noise, noise > 0 else { throw .invalid("/noise", "a variance of the targets' noise above 0 expected with y_train") }
            data = .values(targets.matrix, noise: noise)
        case (nil, nil): throw .invalid("/labels", "labels (classification) or y_train (regression) expected; neither came")
        case (_?, _?): throw .invalid("/labels", "labels or y_train expected; both came")
        }
        precision = try Self.precision(reader.optional("prior_precision"), at: reader.pointer(to: "prior_precision"))
        link = try reader.choice("link", default: .probit)
        let samples = try reader.optionalInteger("samples", in: 1...Self.mostSamples)
        seed = UInt64(try reader.optionalInteger("seed", in: 0...(1 << 53)) ?? 0)
        if samples != nil, link != .samples { throw .invalid("/samples", "no samples expected but with link \"samples\"") }
        if labels == nil, link == .samples { throw .invalid("/link", "labels expected with link \"samples\"") }
        self.samples = samples ?? 1_000
        let hasTest = reader.optional("x_test") != nil
        test = hasTest ? try network.readTest(&reader, .beside) : nil
        let t = test?.count ?? 0
        testLabels = labels == nil || !hasTest ? nil : try reader.outputLabels("labels_test", points: t, outputs: k)
        testTargets = labels != nil || !hasTest ? nil : try reader.targets("y_test", count: t)?.matrix
        if let testTargets, testTargets.columns != k { throw .invalid("/y_test", "\(k) targets a point expected; \(testTargets.columns) came") }
        let asked = try reader.optionalInteger("rank", in: 1...Self.mostOutputs)
        rank = asked ?? (network.order > Self.mostOutputs ? Self.standardRank : nil)
        try reader.finish(orNull: ["pattern_train", "x_test", "pattern_test", "labels_test", "y_test", "output"])
    }

    private static func precision(_ value: JSONValue?, at pointer: String) throws(ProblemDetails) -> LaplacePosterior.Precision {
        switch value {
        case nil: return .marginalLikelihood
        case .number(let number):
            guard number.value > 0 else { throw .invalid(pointer, "a prior precision above 0 expected; \(number.value) came") }
            return .given(number.value)
        case .object:
            var reader = try ObjectReader(value ?? .null, at: pointer)
            let criterion = try reader.required("select", "\"marginal_likelihood\"")
            guard case .string("marginal_likelihood") = criterion else {
                throw .invalid("\(pointer)/select", "\"marginal_likelihood\" expected")
            }
            try reader.finish()
            return .marginalLikelihood
        default:
            throw .invalid(pointer, "a number above 0, or {\"select\": \"marginal_likelihood\"}, expected; \(value?.kindName ?? "nothing") came")
        }
    }

    // MARK: Cost

    private var outputs: Int { network.outputs ?? 1 }

    var work: Work {
        let m = Double(network.order)
        var work = Work(.calls, 50).onOneThread
        if let rank {
            let points = (rank + outputs - 1) / outputs
            let r = Double(min(rank, network.order))
            work += network.work(.cross, points: points) + network.work(.diagonal, points: network.count)
            work += Work(.products, 2 * m * r * r) + Work(.loops, 2 * m * r * Double(outputs)) + Work.tridiagonal(rank)
        } else {
            work += network.gramWork + Work.cholesky(network.order) + Work(.loops, 8 * m * m)
            if case .given = precision { work += Work(.factorizations, 2 * m * m * m / 3) } else { work += Work.tridiagonal(network.order) }
        }
        if let test {
            let rows = Double(test.count) * Double(outputs)
            let width = rank.map { Double(min($0, network.order)) } ?? m
            work += network.work(.cross, points: test.count) + network.work(.diagonal, points: test.count)
            work += Work(.factorizations, rows * width * width) + Work(.products, 2 * rows * width * Double(outputs))
            if link == .samples { work += Work(.formulas, 20 * rows * Double(samples)) }
        }
        return work
    }

    var peakBytes: Int {
        let (m, t, k) = (Count(network.order), Count(test?.count ?? 0), Count(outputs))
        let points = (Count(network.count) + t) * 3 * Count(network.numbersPerPoint)
        if let rank {
            // Φ, its copy where a block is added, and a block of columns with what becomes of it.
            let r = Count(min(rank, network.order))
            return ((m * r * 2 + m * 1_024 + r * r * 3 + t * k * (r * 3 + 512) + Count(network.count) * k * k * 2 + points) * 8).value
        }
        let selected = if case .given = precision { 1 } else { 2 }
        // The kernel is moved from pairs of points to rows of outputs.
        return ((m * m * Count(max(2, selected)) + t * k * m * 2 + t * k * k * 3 + m * 6 + points) * 8).value
    }

    var tableBytes: Int { network.tableBytes }
    func workingBytes(threads: Int) -> Int { network.workingBytes(with: test?.count ?? 0, threads: threads) }
}
