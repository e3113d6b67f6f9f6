internal import Glibc
public import LinearAlgebra

/// The outputs of an infinitely wide network while it is trained, in closed form over the eigenvectors of its tangent kernel Θ = U Λ Uᵀ
/// (Jacot et al. 2018; Lee et al. 2019, arXiv 1902.06720, eqs. 8–11 and 14–16):
///
///     f_t(X) = f_0(X) + U (1 − ρ(λ, t)) Uᵀ (y − f_0(X)),   f_t(x*) = f_0(x*) + Θ(x*, X) U φ(λ, t) Uᵀ (y − f_0(X))
///
/// with ρ and φ of the optimizer. Equal points are merged as in `DuplicateGroups`; what of y they cannot agree on is never learned.
public struct TrainingDynamics: Sendable {
    public let optimizer: Optimizer
    public let groups: DuplicateGroups
    /// Modes of the distinct points that are not zero to working precision.
    public let rank: Int
    /// 2(1 + μ) n k / λ_max: at and beyond it discrete training does not converge. Nil if the kernel is 0.
    public let maximumLearningRate: Double?

    private let eigen: SymmetricEigen
    /// y − f_0 in the eigenbasis [m, k].
    private let errors: Matrix<Double>
    /// Σ of squares of what no mode reaches.
    private let across: Double
    /// n k.
    private let scale: Double
    private let cutoff: Double

    /// - Parameters:
    ///   - kernel: Θ [m, m] of the distinct points. It is destroyed.
    ///   - targets: y [n, k].
    ///   - initial: f_0 [n, k]; nil for 0.
    /// - Time: 9m³/2. Memory: two more m × m matrices.
    public init(
        inPlace kernel: Matrix<Double>, groups: DuplicateGroups, targets: Matrix<Double>, initial: Matrix<Double>? = nil, optimizer: Optimizer,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        precondition(kernel.rows == groups.groupCount && targets.rows == groups.pointCount)
        if groups.mergedCount > 0 { kernel.scaleRows(groups.roots, symmetric: true) }
        guard try kernel.symmetricOneNorm(on: executor).isFinite else { throw RegressionError.kernelOverflow }
        let eigen = try SymmetricEigen(inPlace: kernel, on: executor)
        try RegressionSystem.checkDefinite(eigen)
        let error = initial.map { targets.subtracting($0) } ?? targets
        let reduced = groups.reduce(error)
        self.optimizer = optimizer
        self.groups = groups
        self.eigen = eigen
        errors = try eigen.project(reduced, on: executor)
        across = groups.deviations(error, reduced: reduced).sumOfSquares
        scale = Double(targets.rows * targets.columns)
        let cutoff = SpectralSolver.cutoff(eigen, ridge: 0)
        self.cutoff = cutoff
        rank = eigen.values.count { $0 > cutoff }
        let largest = eigen.values.last ?? 0
        maximumLearningRate = largest > 0 ? 2 * (1 + optimizer.momentum) * scale / largest : nil
        guard errors.isFinite else { throw RegressionError.overflow }
    }

    /// a = ηλ/(n k).
    private func rate(_ eigenvalue: Double) -> Double { optimizer.learningRate * max(eigenvalue, 0) / scale }

    private func remainders(_ t: Double) -> [Double] { eigen.values.map { optimizer.remainder(rate($0), t) } }

    /// φ(λ, t). A mode that is zero to working precision is left out once its true eigenvalue would matter: what it then adds is rounding.
    private func gains(_ t: Double) -> [Double] {
        let isLate = rate(cutoff) * t > 1
        return eigen.values.map { value in
            if isLate && value <= cutoff { return 0 }
            return optimizer.gain(rate(value), t) * optimizer.learningRate / scale
        }
    }

    /// f_t(X) − f_0(X) [n, k].
    public func trainChange(_ t: Double, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let coordinates = errors.copy()
        // 1 − ρ = λφ, without cancellation.
        coordinates.scaleRows(eigen.values.map { optimizer.gain(rate($0), t) * rate($0) })
        let change = try eigen.combine(coordinates, on: executor)
        change.scaleRows(groups.roots.map { 1 / $0 })
        return groups.mergedCount > 0 ? change.rows(groups.group) : change
    }

    /// f_t(x*) − f_0(x*) [t, k] from Θ(x*, X) [t, m].
    public func testChange(_ t: Double, testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let coordinates = errors.copy()
        coordinates.scaleRows(gains(t))
        let coefficients = try eigen.combine(coordinates, on: executor)
        if groups.mergedCount > 0 { coefficients.scaleRows(groups.roots) }
        return try testTrain.multiply(coefficients, on: executor)
    }

    /// ½ · mean (f_t(X) − y)².
    public func trainLoss(_ t: Double) -> Double { loss(remainders(t)) }

    private func loss(_ remainders: [Double]) -> Double {
        let squares = zip(remainders, errors.rowSquares).reduce(across) { $0 + $1.0 * $1.0 * $1.1 }
        return squares / (2 * scale)
    }

    /// V = Θ(x*, X) U φ(λ, t) Uᵀ [t, m], which takes y − f_0 at the distinct points to the change at the test points.
    public func map(_ t: Double, testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        var rows = testTrain
        if groups.mergedCount > 0 {
            rows = rows.copy()
            rows.scaleColumns(groups.roots)
        }
        let coordinates = try rows.multiplyTransposed(eigen.vectors, on: executor)
        coordinates.scaleColumns(gains(t))
        let map = try coordinates.multiply(eigen.vectors, on: executor)
        if groups.mergedCount > 0 { map.scaleColumns(groups.roots) }
        return map
    }

    /// The first time, or the first step, at which the training loss is at most `target`; nil if it never is, or not within
    /// `TrainingDynamics.mostSteps` steps of a training whose loss need not fall.
    public func timeToReach(loss target: Double) -> Double? {
        let squares = errors.rowSquares
        func loss(_ t: Double) -> Double { zip(remainders(t), squares).reduce(across) { $0 + $1.0 * $1.0 * $1.1 } / (2 * scale) }
        if loss(0) <= target { return 0 }
        let fastest = rate(eigen.values.last ?? 0)
        guard fastest > 0 else { return nil }
        switch optimizer {
        case .heavyBall: return stepwise(target, squares)
        case .gradientDescent where fastest >= 2: return stepwise(target, squares)
        case .gradientFlow, .gradientDescent: break
        }
        // The loss falls: bisection between a time before and one after.
        var (before, after) = (0.0, optimizer.isDiscrete ? 1 : 1 / fastest)
        while loss(after) > target {
            guard after < 0x1p62 / min(fastest, 1) else { return nil }
            (before, after) = (after, after * 2)
        }
        for _ in 0..<200 {
            var middle = (before + after) / 2
            if optimizer.isDiscrete { middle = middle.rounded(.down) }
            if middle <= before || middle >= after { break }
            if loss(middle) > target { before = middle } else { after = middle }
        }
        return after
    }

    public static let mostSteps = 100_000

    /// Step by step, in the eigenbasis.
    private func stepwise(_ target: Double, _ squares: [Double]) -> Double? {
        let rates = eigen.values.map(rate)
        var last = [Double](repeating: 1, count: rates.count)
        var now = last
        for step in 1...Self.mostSteps {
            var sum = across
            for mode in rates.indices {
                let next = (1 + optimizer.momentum - rates[mode]) * now[mode] - optimizer.momentum * last[mode]
                (last[mode], now[mode]) = (now[mode], next)
                sum += next * next * squares[mode]
            }
            guard sum.isFinite else { return nil }
            if sum / (2 * scale) <= target { return Double(step) }
        }
        return nil
    }
}
