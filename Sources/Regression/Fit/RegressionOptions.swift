/// How much is added to the kernel's diagonal.
public enum Ridge: Sendable, Equatable {
    /// λ ≥ 0.
    case fixed(Double)
    /// The candidate with the least criterion; of equal ones the first.
    case select(RidgeCriterion, candidates: [Double])
}

/// By what a ridge is chosen. Each is a function of λ and the training set alone.
public enum RidgeCriterion: String, CaseIterable, Sendable {
    /// The mean squared leave-one-out residual, exact for each point.
    case leaveOneOut = "leave_one_out"
    /// Generalized cross-validation (Golub, Heath, Wahba 1979): n ‖(I − A)y‖² / tr(I − A)², A = K(K + λI)⁻¹.
    case generalizedCrossValidation = "gcv"
    /// Minus the log marginal likelihood of the Gaussian process.
    case marginalLikelihood = "marginal_likelihood"
}

/// What to do where K + λI is singular to working precision.
public enum SingularPolicy: String, CaseIterable, Sendable {
    /// The least-squares solution of the least norm, which is the limit of ridges that go to 0.
    case minimumNorm = "minimum_norm"
    /// The least jitter of a ladder of powers of ten (relative to the mean diagonal) with which the system can be solved.
    case jitter
    /// No answer.
    case refuse
}

/// How a regression is to be fitted.
public struct RegressionOptions: Sendable {
    public var ridge: Ridge
    public var onSingular: SingularPolicy
    /// Whether to find what needs the inverse's diagonal (leave-one-out residuals, effective dimension), which takes as long as the fit.
    /// Nil: up to `RegressionOptions.completeUpTo` points.
    public var isComplete: Bool?
    /// Whether predictions need covariances, or the likelihood is wanted: without, the factor may be kept in float32.
    public var needsFactor: Bool

    /// How far the kernel's entries may be off, relative to √(K_ii K_jj), by rounding in their making.
    public var entryRounding = Self.float64Rounding
    /// Whether the kernel came from elsewhere, so that it may be no kernel at all: then it is judged before the ridge is added.
    public var judgesKernel = false

    public static let completeUpTo = 4_096
    /// Of entries that were computed in float64: some thousand times ε.
    public static let float64Rounding = 0x1p-40
    /// Of entries in float32.
    public static let float32Rounding = 0x1p-22

    /// How far the eigenvalues of a kernel of unit diagonal may be off.
    func noise(_ order: Int) -> Double { Double(order) * entryRounding }

    public init(ridge: Ridge = .fixed(0), onSingular: SingularPolicy = .minimumNorm, isComplete: Bool? = nil, needsFactor: Bool = true) {
        self.ridge = ridge
        self.onSingular = onSingular
        self.isComplete = isComplete
        self.needsFactor = needsFactor
    }
}
