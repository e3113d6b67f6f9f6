internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/spectra`, validated.
struct SpectrumRequest: ComputeTask {
    var points: any TrainingKernel
    var targets: Targets?
    var ridge: Double
    var learningRate: Double
    var noise: Double
    var sampleSizes: [Double]

    private static let mostSizes = 1_000

    init(_ value: JSONValue, _ networks: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        points = try TrainingKernels.read(&reader, networks, points: "x", pattern: "pattern")
        let n = points.count
        let hasTargets = reader.optional("y") != nil || reader.optional("labels") != nil
        targets = hasTargets ? try Targets(&reader, count: n, values: "y") : nil
        if let targets { try points.check(targets, "y") }
        ridge = try reader.number("ridge", default: 0)
        learningRate = try reader.number("learning_rate", default: 1)
        noise = try reader.number("noise", default: 0)
        let sizes = try reader.optionalArray("sample_sizes")
        try reader.finish(orNull: ["x", "pattern"])
        guard ridge >= 0 else { throw .invalid("/ridge", "a ridge of 0 or more expected; \(ridge) came") }
        guard learningRate > 0 else { throw .invalid("/learning_rate", "a learning rate above 0 expected; \(learningRate) came") }
        guard noise >= 0 else { throw .invalid("/noise", "a variance of 0 or more expected; \(noise) came") }
        guard let sizes else {
            sampleSizes = [max(Double(n / 2), 1)]
            return
        }
        guard sizes.shape.count == 1, sizes.elements.count <= Self.mostSizes else {
            throw .invalid("/sample_sizes", "a list of at most \(Self.mostSizes) numbers of samples expected")
        }
        for (index, size) in sizes.elements.enumerated() where !(size >= 1 && size <= 1e15) {
            throw .invalid("/sample_sizes/\(index)", "a number of samples of 1 or more expected")
        }
        sampleSizes = Array(sizes.elements)
    }

    var work: Work {
        let columns = targets.map { points.outputs == nil ? $0.matrix.columns : 1 } ?? 0
        return points.gramWork + KernelSpectrum.work(order: points.order, columns: columns, sampleSizes: sampleSizes.count)
    }

    var peakBytes: Int {
        let n = Count(points.order)
        return (n * n * 28 + n * 24 * Count(points.numbersPerPoint) + n * 32 * Count(targets?.matrix.columns ?? 0)).value
    }

    var tableBytes: Int { points.tableBytes }
    func workingBytes(threads: Int) -> Int { points.workingBytes(with: 0, threads: threads) }
}
