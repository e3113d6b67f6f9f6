/// What a fit says of itself. A number is nil where its definition has no value, or where it was not asked for.
public struct Diagnostics: Sendable {
    /// How the system was solved.
    public enum Method: String, Sendable {
        /// L Lᵀ in float64.
        case cholesky
        /// L Lᵀ in float32, refined to float64.
        case mixedPrecision = "mixed_precision_cholesky"
        /// U Λ Uᵀ, all modes.
        case eigendecomposition
        /// U Λ Uᵀ without the modes that are zero to working precision: least squares, and of those solutions the least.
        case minimumNorm = "minimum_norm"
        /// Preconditioned conjugate gradients.
        case conjugateGradient = "conjugate_gradient"
    }

    public var method: Method
    /// λ, as it was added to the diagonal, jitter not counted.
    public var ridge: Double
    /// How the ridge was chosen, if it was.
    public var selection: RidgeSelection?
    /// The number of modes of the distinct points' system that are not zero to working precision; nil if no factor tells.
    public var rank: Int?
    /// An estimate of 1 / cond(K + λI) after scaling to unit diagonal, in the one-norm; of the modes that a minimum-norm solution uses the
    /// least eigenvalue over the largest.
    public var reciprocalCondition: Double?
    /// ‖y − (K + λI)α‖ / (‖K + λI‖ ‖α‖ + ‖y‖) in the largest-column-sum norm, of the system scaled to unit diagonal: the backward error of
    /// the solution. Of a minimum-norm solution the residual within the modes that were used.
    public var relativeResidual: Double
    /// ‖P₀y‖ / ‖y‖: the part of the targets that no function of the kernel reaches; 0 unless the system is singular.
    public var unreachableTargets: Double
    /// Training points that are equal to others and were merged with them.
    public var duplicatesMerged: Int
    /// Distinct points whose duplicates have different targets: what is fitted there is their mean.
    public var conflictingDuplicates: Int
    /// The mean of what was added to the diagonal beside the ridge, to each element in proportion; 0 unless jitter was asked for.
    public var jitter: Double
    /// log p(y) of the Gaussian process, summed over outputs: −½ yᵀα − ½ log det(K + λI) − (n/2) log 2π each.
    public var logMarginalLikelihood: Double?
    /// yᵀ(K + λI)⁻¹y / n of each output: the factor on K + λI with which the Gaussian process makes the targets most likely.
    public var signalVariances: [Double]?
    /// What a reader of the answer should know.
    public var warnings: [String] = []
    /// The mean over points and outputs of the squared leave-one-out residual.
    public var leaveOneOutError: Double?
    /// ‖f‖ = √(Σ αᵀKα), summed over outputs, in the kernel's Hilbert space.
    public var rkhsNorm: Double?
    /// tr K (K + λI)⁻¹: how many degrees of freedom the fit uses.
    public var effectiveDimension: Double?
    /// Iterations of conjugate gradients, if it was that.
    public var iterations: Int?
    /// Columns of the preconditioner of conjugate gradients, if it was that.
    public var preconditionerRank: Int?

    public init(method: Method, ridge: Double, relativeResidual: Double, duplicatesMerged: Int) {
        (self.method, self.ridge, self.relativeResidual, self.duplicatesMerged) = (method, ridge, relativeResidual, duplicatesMerged)
        (unreachableTargets, conflictingDuplicates, jitter) = (0, 0, 0)
    }
}
