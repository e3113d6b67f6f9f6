internal import LearningCurves
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// A fully-connected kernel, and the covariance of data with a target: from a sample, or given.
struct HermiteSource: Sendable {
    enum Data: Sendable {
        case sample(x: Matrix<Double>, targets: Targets)
        case given(variances: [Double], targets: [(components: [Int], coefficient: Double)])
    }

    var kernel: AnalyticKernel
    var kind: KernelKind
    var data: Data
    var modes: Int

    private static let mostModes = 1 << 20
    private static let mostFeatures = 1 << 14

    init(_ reader: inout ObjectReader) throws(ProblemDetails) {
        var source = try ObjectReader(reader.required("kernel", "{\"architecture\": …, \"kind\": \"ntk\"}"), at: "/kernel")
        let layer = try ArchitectureWire.layer(
            source.required("architecture", "an architecture: the ansatz knows fully-connected kernels only"), at: "/kernel/architecture")
        kind = try source.choice("kind", default: .ntk)
        try source.finish()
        modes = try reader.optionalInteger("modes", in: 1...Self.mostModes) ?? 10_000
        let features: Int
        if let variances = try reader.optionalArray("covariance_eigenvalues") {
            let values = try Self.variances(variances)
            data = .given(variances: values.sorted(by: >), targets: try Self.targets(&reader, count: values.count))
            features = values.count
        } else {
            let points = try reader.networkPoints("x", .channelsLast)
            guard points.shape.count == 1 else { throw .invalid("/x", "vectors [n, d] expected: the ansatz knows fully-connected kernels only") }
            data = .sample(x: points.values, targets: try Targets(&reader, count: points.values.rows, values: "y"))
            features = points.values.columns
        }
        guard (2...Self.mostFeatures).contains(features) else {
            throw .invalid("/x", "2 to \(Self.mostFeatures) features expected for the ansatz; \(features) came")
        }
        do { kernel = try AnalyticKernel(layer, features: features, meter: .ofRequest()) } catch {
            throw ProblemDetails(error, at: "/kernel/architecture")
        }
    }

    private static func variances(_ array: NumericArray) throws(ProblemDetails) -> [Double] {
        let values = Array(array.elements)
        guard array.shape.count == 1, values.contains(where: { $0 > 0 }) else {
            throw .invalid("/covariance_eigenvalues", "a list of variances, one of them above 0, expected")
        }
        for (index, value) in values.enumerated() where !(value >= 0) {
            throw .invalid("/covariance_eigenvalues/\(index)", "a variance of 0 or more expected")
        }
        return values
    }

    /// `[{"components": [0, 0, 3], "coefficient": 0.5}, …]`: components count from the largest variance.
    private static func targets(_ reader: inout ObjectReader, count: Int) throws(ProblemDetails) -> [(components: [Int], coefficient: Double)] {
        let value = try reader.required("target_coefficients", "a list of objects with components and coefficient")
        guard let values = value.listElements, !values.isEmpty else {
            throw .invalid("/target_coefficients", "a list of objects with components and coefficient expected; \(value.kindName) came")
        }
        var targets: [(components: [Int], coefficient: Double)] = []
        for (index, value) in values.enumerated() {
            var item = try ObjectReader(value, at: "/target_coefficients/\(index)")
            let components = try item.requiredIntegers("components", in: 0...count - 1)
            targets.append((components, try item.requiredNumber("coefficient")))
            try item.finish()
        }
        return targets
    }

    var work: Work {
        var work = Work(.formulas, 2_000 * Double(modes)).onOneThread
        if case .sample(let x, let targets) = data {
            let used = Swift.min(x.rows / 4, modes)
            work += Work.product(x.columns, x.columns, x.rows) + Work.eigenvectors(x.columns) + Work.product(x.rows, x.columns, x.columns)
            work += Work(.formulas, 40 * Double(x.rows) * Double(used)) + Work.product(used, used, x.rows + targets.matrix.columns * 3)
            work += Work(.factorizations, Double(used) * Double(used) * Double(used))
        }
        return work
    }

    var peakBytes: Int {
        let own = Count(modes) * 400
        guard case .sample(let x, let targets) = data else { return own.value }
        let (n, d, used) = (Count(x.rows), Count(x.columns), Count(Swift.min(x.rows / 4, modes)))
        return (own + n * d * 32 + d * d * 40 + n * used * 24 + used * used * 16 + Count(modes + x.rows) * Count(targets.matrix.columns) * 16).value
    }
}
