internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/predictions`, validated.
struct PredictionRequest: ComputeTask {
    enum Covariance: String, CaseIterable, Sendable {
        case none, diagonal, full
    }

    enum RidgeScale: String, CaseIterable, Sendable {
        /// The ridge is added as it is.
        case absolute
        /// The ridge is in units of the mean of the kernel's diagonal.
        case relative
    }

    var kernel: AnalyticKernel
    var kind: KernelKind
    var xTrain: Matrix<Double>
    var xTest: Matrix<Double>
    var targets: Targets
    var ridge: Double
    var ridgeScale: RidgeScale
    var covariance: Covariance

    init(_ value: JSONValue) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        var source = try ObjectReader(reader.required("kernel", "a kernel source, such as {\"architecture\": …, \"kind\": \"ntk\"},"), at: "/kernel")
        let architecture = try ArchitectureWire.layer(source.required("architecture", "an architecture"), at: "/kernel/architecture")
        kind = try source.choice("kind", default: .ntk)
        try source.finish()
        xTrain = try reader.points("x_train")
        targets = try Targets(&reader, count: xTrain.rows)
        xTest = try reader.points("x_test")
        ridge = try reader.number("ridge", default: 0)
        ridgeScale = try reader.choice("ridge_scale", default: .absolute)
        covariance = try reader.choice("covariance", default: .none)
        try reader.finish()
        guard ridge >= 0 else { throw .invalid("/ridge", "a ridge of 0 or more expected; \(ridge) came") }
        guard xTest.columns == xTrain.columns else {
            throw .invalid("/x_test", "points of \(xTrain.columns) features expected, as in x_train; \(xTest.columns) came")
        }
        kernel = try architecture.analyticKernel(features: xTrain.columns, at: "/kernel/architecture")
    }

    /// The kernels, the factor and the leave-one-out residuals, and the variances.
    var operations: Int {
        let (n, m) = (xTrain.rows, xTest.rows)
        let pairs = n.multipliedClamped(by: n.addingClamped(m))
        return pairs.multipliedClamped(by: 2 * xTrain.columns + 100 * kernel.depth + n)
    }

    /// Bytes of the kernel matrices and the factor.
    var peakBytes: Int {
        let (n, m) = (xTrain.rows, xTest.rows)
        var elements = n.multipliedClamped(by: n).multipliedClamped(by: 2).addingClamped(n.multipliedClamped(by: m))
        if covariance != .none { elements = elements.addingClamped(n.multipliedClamped(by: m)) }
        if covariance == .full { elements = elements.addingClamped(m.multipliedClamped(by: m).multipliedClamped(by: 2)) }
        return elements.addingClamped((n + m).multipliedClamped(by: 2 * xTrain.columns)).multipliedClamped(by: 8)
    }
}
