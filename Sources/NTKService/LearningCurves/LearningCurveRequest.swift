internal import LearningCurves
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/learning-curves`, validated.
struct LearningCurveRequest: ComputeTask {
    /// Where the spectrum comes from.
    enum Source: Sendable {
        /// A kernel's Gram matrix on a sample.
        case sample(any TrainingKernel, Targets)
        case given(ModeSpectrum)
        case hermite(HermiteSource)
    }

    enum Method: String, CaseIterable {
        case spectrum, hermite
    }

    enum Ridge: Sendable {
        case fixed(Double)
        /// The best for each number of samples; on a sample the best of its leave-one-out errors, for all.
        case optimal
    }

    var source: Source
    var sampleSizes: [Double]
    var ridge: Ridge
    var noise: Double
    var features: Double?
    var targetError: Double?
    var seed: UInt64

    private static let mostSizes = 1_000

    init(_ value: JSONValue, _ networks: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        let method = try reader.choice("method", default: Method.spectrum)
        switch method {
        case .hermite: source = .hermite(try HermiteSource(&reader))
        case .spectrum:
            if let spectrum = reader.optional("spectrum") {
                source = .given(try Self.spectrum(spectrum))
            } else {
                let points = try TrainingKernels.read(&reader, networks, points: "x", pattern: "pattern")
                let targets = try Targets(&reader, count: points.count, values: "y")
                try points.check(targets, "y")
                guard points.order >= LeaveOneOutSizes.fewest else {
                    throw .invalid("/x", "\(LeaveOneOutSizes.fewest) points or more expected, so that subsets say something; \(points.order) came")
                }
                source = .sample(points, targets)
            }
        }
        let sizes = try reader.array("sample_sizes", "a list of numbers of samples")
        ridge = try Self.ridge(&reader)
        noise = try reader.number("noise", default: 0)
        features = try reader.optionalNumber("features")
        targetError = try reader.optionalNumber("target_error")
        seed = UInt64(try reader.optionalInteger("seed", in: 0...(1 << 53)) ?? 0)
        try reader.finish(orNull: ["kernel", "x", "y", "labels", "pattern", "spectrum", "modes", "covariance_eigenvalues", "target_coefficients"])
        guard noise >= 0 else { throw .invalid("/noise", "a variance of 0 or more expected; \(noise) came") }
        if let features, !(features >= 1) { throw .invalid("/features", "a number of features of 1 or more expected; \(features) came") }
        if let targetError, !(targetError > 0) { throw .invalid("/target_error", "an error above 0 expected; \(targetError) came") }
        guard sizes.shape.count == 1, (1...Self.mostSizes).contains(sizes.elements.count) else {
            throw .invalid("/sample_sizes", "a list of 1 to \(Self.mostSizes) numbers of samples expected")
        }
        sampleSizes = Array(sizes.elements)
        for (index, size) in sampleSizes.enumerated() where !(size >= 1 && size <= 1e15) {
            throw .invalid("/sample_sizes/\(index)", "a number of samples of 1 or more expected")
        }
    }

    private static func ridge(_ reader: inout ObjectReader) throws(ProblemDetails) -> Ridge {
        guard let value = reader.optional("ridge") else { return .fixed(0) }
        switch value {
        case .string(let text) where text == "optimal": return .optimal
        case .number(let number) where number.value >= 0 && number.value.isFinite: return .fixed(number.value)
        default: throw .invalid("/ridge", "a ridge of 0 or more, or \"optimal\", expected")
        }
    }

    private static func spectrum(_ value: JSONValue) throws(ProblemDetails) -> ModeSpectrum {
        var reader = try ObjectReader(value, at: "/spectrum")
        func vector(_ field: String, _ array: NumericArray, count: Int?, least: Double) throws(ProblemDetails) -> [Double] {
            let elements = Array(array.elements)
            guard array.shape.count == 1, !elements.isEmpty, count.map({ $0 == elements.count }) ?? true else {
                throw .invalid("/spectrum/\(field)", "a list of \(count.map { "\($0) numbers, one for each eigenvalue," } ?? "numbers") expected")
            }
            for (index, number) in elements.enumerated() where !(number >= least) {
                throw .invalid("/spectrum/\(field)/\(index)", "a number of \(least == 0 ? "0 or more" : "at least \(least)") expected")
            }
            return elements
        }
        let eigenvalues = try vector(
            "eigenvalues", reader.array("eigenvalues", "eigenvalues of the kernel's operator"), count: nil, least: .leastNonzeroMagnitude)
        let powers = try vector("powers", reader.array("powers", "squares of the target's coefficients"), count: eigenvalues.count, least: 0)
        let counts = try reader.optionalArray("multiplicities")
        let multiplicities = try counts.map { counts throws(ProblemDetails) in
            try vector("multiplicities", counts, count: eigenvalues.count, least: 1)
        }
        let tail = try reader.number("tail", default: 0)
        try reader.finish()
        guard tail >= 0 else { throw .invalid("/spectrum/tail", "a sum of eigenvalues of 0 or more expected; \(tail) came") }
        return ModeSpectrum(eigenvalues: eigenvalues, multiplicities: multiplicities, powers: powers, tail: tail)
    }

    /// Numbers that all sizes, and the search for a target, ask the theory for.
    private var evaluations: Double { Double(sampleSizes.count + (targetError == nil ? 0 : 80)) * (features == nil ? 1 : 2) }
    private var searches: Double { if case .optimal = ridge { 52 } else { 1 } }

    var work: Work {
        func theory(_ modes: Int) -> Work { Work(.formulas, 130 * Double(modes) * evaluations * searches).onOneThread }
        switch source {
        case .sample(let points, let targets):
            let n = points.order
            // Subsets of half the points and less, and the whole; and of the ridges that are tried two products a ridge.
            return points.gramWork + Work.eigenvectors(n) + Work(.factorizations, 3 * Double(n) * Double(n) * Double(n))
                + Work.product(n, n, targets.matrix.columns) * 60 + theory(n / 4)
        case .given(let spectrum): return theory(spectrum.eigenvalues.count)
        case .hermite(let source): return source.work + theory(source.modes)
        }
    }

    var peakBytes: Int {
        switch source {
        case .sample(let points, let targets):
            let n = Count(points.order)
            return (n * n * 40 + n * 24 * Count(points.numbersPerPoint) + n * 64 * Count(targets.matrix.columns)).value
        case .given(let spectrum): return spectrum.eigenvalues.count.multipliedClamped(by: 64)
        case .hermite(let source): return source.peakBytes
        }
    }

    var tableBytes: Int { if case .sample(let points, _) = source { points.tableBytes } else { 0 } }
    func workingBytes(threads: Int) -> Int { if case .sample(let points, _) = source { points.workingBytes(with: 0, threads: threads) } else { 0 } }
}
