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
    /// 2(1 + μ) n k / λ_max: at and beyond it discrete training does not converge. Nil if the kernel is 0, or it leaves the range of float64.
    public let maximumLearningRate: Double?

    /// Of Θ 4^(−unit).
    private let eigen: SymmetricEigen
    private let unit: Int
    /// y − f_0 in the eigenbasis [m, k], in units of its columns.
    private let errors: Matrix<Double>
    private let units: ColumnUnits
    /// The largest of the units, in which the squares are.
    private let targetUnit: Int
    /// Σ of squares of each mode, and of what no mode reaches.
    private let squares: [Double]
    private let across: Double
    /// n k.
    private let scale: Double
    /// Of modes that are zero to working precision the least eigenvalue that would be none, below 0 for others.
    private let cutoffs: [Double]

    /// - Parameters:
    ///   - kernel: Θ [m, m] of the distinct points. It is destroyed.
    ///   - targets: y [n, k].
    ///   - initial: f_0 [n, k]; nil for 0.
    ///   - rounding: how far entries of the kernel may be off, relative to √(Θ_ii Θ_jj).
    /// - Throws: `RegressionError`; what the executor throws.
    /// - Time: 9m³/2, and for graded kernels some times that. Memory: two more m × m matrices.
    public init(
        inPlace kernel: Matrix<Double>, groups: DuplicateGroups, targets: Matrix<Double>, initial: Matrix<Double>? = nil, optimizer: Optimizer,
        rounding: Double = RegressionOptions.float64Rounding, on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        precondition(kernel.rows == groups.groupCount && targets.rows == groups.pointCount)
        if groups.mergedCount > 0 { kernel.scaleRows(groups.roots, symmetric: true) }
        let uniform = UnitScaling.tame(kernel.diagonal)
        unit = uniform.exponents.first ?? 0
        guard try uniform.apply(to: kernel, on: executor).isFinite else { throw RegressionError.kernelOverflow }
        let definite = try KernelJudge.eigen(inPlace: kernel, noise: Double(kernel.rows) * rounding, on: executor)
        let difference = initial.map { targets.subtracting($0) } ?? targets
        guard difference.isFinite else { throw RegressionError.overflow }
        let units = ColumnUnits(difference, always: true)
        let error = units.taken(from: difference)
        let targetUnit = units.exponents.max() ?? 0
        (self.units, self.targetUnit) = (units, targetUnit)
        let relative = ColumnUnits(exponents: units.exponents.map { $0 - targetUnit })
        self.optimizer = optimizer
        self.groups = groups
        eigen = definite.eigen
        errors = try eigen.project(groups.reduce(error), on: executor)
        squares = relative.given(to: errors).rowSquares
        across = relative.given(to: groups.deviations(error)).sumOfSquares
        scale = Double(targets.rows * targets.columns)
        rank = definite.rank
        let zeros = eigen.order - definite.rank
        let floor = DefiniteEigen.floor(eigen.order) * .ulpOfOne
        cutoffs = definite.scales.enumerated().map { $0 < zeros ? floor * $1 : -1 }
        let largest = eigen.values.last ?? 0
        let most = largest > 0 ? (2 * (1 + optimizer.momentum) * scale / largest).scaled(by: -2 * unit) : 0
        maximumLearningRate = most > 0 && most.isFinite ? most : nil
        guard errors.isFinite else { throw RegressionError.overflow }
    }

    /// η/(n k), in the units of the eigenvalues.
    private var step: Double { (optimizer.learningRate / scale).scaled(by: 2 * unit) }

    /// A mode that is zero to working precision has no rate.
    private func eigenvalue(_ mode: Int) -> Double { cutoffs[mode] >= 0 ? 0 : max(eigen.values[mode], 0) }

    private func responses(_ t: Double) -> [Optimizer.Response] {
        (0..<eigen.order).map { optimizer.response(step: step, eigenvalue: eigenvalue($0), at: t) }
    }

    /// φ(λ, t). A mode that is zero to working precision is left out once its true eigenvalue would matter: what it then adds is rounding.
    private func gains(_ t: Double) -> [Double] {
        responses(t).enumerated().map { mode, response in
            cutoffs[mode] >= 0 && step * cutoffs[mode] * t > 1 ? 0 : response.gain
        }
    }

    /// f_t(X) − f_0(X) [n, k].
    public func trainChange(_ t: Double, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let coordinates = errors.copy()
        // 1 − ρ = λφ, without cancellation.
        coordinates.scaleRows(responses(t).map(\.complement))
        let change = try eigen.combine(coordinates, on: executor)
        change.scaleRows(groups.roots.map { 1 / $0 })
        return units.given(to: groups.mergedCount > 0 ? change.rows(groups.group) : change)
    }

    /// f_t(x*) − f_0(x*) [t, k] from Θ(x*, X) [t, m].
    public func testChange(_ t: Double, testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let coordinates = errors.copy()
        coordinates.scaleRows(gains(t))
        let coefficients = try eigen.combine(coordinates, on: executor)
        if groups.mergedCount > 0 { coefficients.scaleRows(groups.roots) }
        return units.given(to: try scaled(testTrain).multiply(coefficients, on: executor))
    }

    /// Θ(x*, X) in the units of the eigenvalues.
    private func scaled(_ testTrain: Matrix<Double>) -> Matrix<Double> {
        let unit = unit
        return unit == 0 ? testTrain : testTrain.combining(testTrain) { value, _ in value.scaled(by: -2 * unit) }
    }

    /// ½ · mean (f_t(X) − y)².
    public func trainLoss(_ t: Double) -> Double { loss(t).scaled(by: 2 * targetUnit) }

    /// In the units of the errors.
    private func loss(_ t: Double) -> Double {
        var sum = across
        for (mode, response) in responses(t).enumerated() where squares[mode] > 0 { sum += response.remainder * response.remainder * squares[mode] }
        return sum / (2 * scale)
    }

    /// V = Θ(x*, X) U φ(λ, t) Uᵀ [t, m], which takes y − f_0 at the distinct points to the change at the test points.
    public func map(_ t: Double, testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        var rows = scaled(testTrain)
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
    /// `TrainingDynamics.mostSteps` steps of a training whose loss need not fall. At most some hundred losses, or those steps.
    public func timeToReach(loss target: Double, on executor: any TileExecutor = ConcurrentTiles()) throws -> Double? {
        let target = target.scaled(by: -2 * targetUnit)
        if loss(0) <= target { return 0 }
        let fastest = step * max(eigen.values.last ?? 0, 0)
        // What is never learned.
        let rest = squares.indices.reduce(across) { eigenvalue($1) > 0 ? $0 : $0 + squares[$1] } / (2 * scale)
        guard fastest > 0, rest <= target else { return nil }
        switch optimizer {
        case .heavyBall(_, let momentum) where momentum > 0: return try stepwise(target, on: executor)
        case .gradientDescent where fastest >= 2, .heavyBall where fastest >= 2: return try stepwise(target, on: executor)
        case .gradientFlow, .gradientDescent, .heavyBall: break
        }
        // The loss falls: bisection of the times in their order, of which there are less than 2⁶⁴.
        var (before, after): (UInt64, UInt64) = (0, Double.greatestFiniteMagnitude.bitPattern)
        if optimizer.isDiscrete { after = 1 << 53 }
        func time(_ index: UInt64) -> Double { optimizer.isDiscrete ? Double(index) : Double(bitPattern: index) }
        guard loss(time(after)) <= target else { return nil }
        while before + 1 < after {
            try executor.forEach(0) { _ in }
            let middle = before + (after - before) / 2
            if loss(time(middle)) > target { before = middle } else { after = middle }
        }
        return time(after)
    }

    public static let mostSteps = 100_000

    /// Step by step, in the eigenbasis.
    private func stepwise(_ target: Double, on executor: any TileExecutor) throws -> Double? {
        let rates = (0..<eigen.order).map { step * eigenvalue($0) }
        var last = [Double](repeating: 1, count: rates.count)
        var now = last
        for step in 1...Self.mostSteps {
            if step % 64 == 0 { try executor.forEach(0) { _ in } }
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
