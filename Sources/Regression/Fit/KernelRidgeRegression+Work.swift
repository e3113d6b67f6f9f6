public import LinearAlgebra

// What a fit costs beside the kernel.
extension KernelRidgeRegression {
    /// With a factor.
    /// - Parameters:
    ///   - order: distinct points n.
    ///   - columns: of the targets.
    ///   - isComplete: whether leave-one-out residuals are found; nil as in `RegressionOptions`.
    public static func work(
        order n: Int, columns k: Int, ridge: Ridge, onSingular: SingularPolicy, isComplete: Bool?, needsFactor: Bool
    ) -> Work {
        // Diagonals, norms, residuals in twice the precision, solutions.
        var work = Work.pass(n, n) * 10 + Work(.formulas, 40 * Double(n) * Double(k)) + Work(.loops, 60 * Double(n) * Double(n) * Double(k))
        work += Work(.calls, 50).onOneThread
        var inverse = (isComplete ?? (n <= RegressionOptions.completeUpTo)) ? Work(.factorizations, 2 * cube(n) / 3) : .none
        // What is all but singular has its inverse's diagonal refined, up to twice: half way to that on a scale of orders.
        if inverse != .none, n <= RegressionFit.refinedUpTo { inverse += Work(.loops, 4 * cube(n)) }
        switch ridge {
        case .fixed(let value):
            let isMixed = n >= 1_024 && !needsFactor && isComplete != true
            work += Work.cholesky(n, isFloat32: isMixed) + (isMixed ? .none : inverse)
            // A kernel without a ridge may be singular to working precision, which the factor alone tells: half way to that on a scale of orders.
            if value == 0, onSingular != .refuse { work += (onSingular == .minimumNorm ? Work.eigenvectors(n) * 0.2 : Work.cholesky(n) * 3) }
        case .select(.leaveOneOut, let candidates):
            work += Work.eigenvectors(n) + Work(.loops, 4 * Double(n) * Double(n) * Double(candidates.count) * Double(k + 1)) + inverse
        case .select(_, let candidates):
            work += Work.tridiagonal(n) + Work.cholesky(n) + inverse
            work += Work(.formulas, 20 * Double(n) * Double(candidates.count) * Double(k + 1)).onOneThread
        }
        return work
    }

    /// By conjugate gradients, some hundred iterations, and the exact kernel some times.
    public static func iterativeWork(order n: Int, columns k: Int, packing: Work, exact: Work) -> Work {
        let rank = Double(min(standardPreconditionerRank(n), n))
        let iteration =
            Work(.memory, 2 * Double(n) * Double(n)) + Work(.loops, 2 * Double(n) * Double(n) * Double(k))
            + Work(.products, 4 * Double(n) * rank * Double(k))
        let preconditioner = Work(.products, 4 * Double(n) * rank * rank) + Work(.loops, 10 * Double(n) * rank)
        return packing + exact * 3 + preconditioner + iteration * 60 + Work(.calls, 3_000).onOneThread
    }

    /// What variances of t points take of the factor.
    public static func covarianceWork(order n: Int, points t: Int, isFull: Bool) -> Work {
        Work(.factorizations, Double(n) * Double(n) * Double(t)) + Work.pass(n, t) * 4
            + (isFull ? Work.product(t, n, t) + Work.pass(t, t) * 4 : .none)
    }

    private static func cube(_ n: Int) -> Double { Double(n) * Double(n) * Double(n) }
}
