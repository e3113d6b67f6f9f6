public import LinearAlgebra

// What dynamics cost beside the kernels.
extension TrainingDynamics {
    /// - Parameters:
    ///   - order: distinct points m.
    ///   - columns: of the targets.
    ///   - points: at which outputs are predicted beside the training points.
    public static func work(order m: Int, columns k: Int, points t: Int, times: Int, optimizer: Optimizer, hasTargetLoss: Bool) -> Work {
        let modes = Double(m) * (optimizer.momentum > 0 ? 400 : 60)
        var each = Work(.formulas, 3 * modes) + Work(.formulas, 4 * Double(m) * Double(k))
        each = each.onOneThread + Work.product(m, m, k) * 2 + Work.product(t, m, k) + Work(.calls, 20).onOneThread
        var work = Work.eigenvectors(m) + Work.pass(m, m) * 4 + each * times
        if hasTargetLoss {
            // By bisection, or, where the loss need not fall, step by step: between that and all the steps that may be made.
            let evaluations = optimizer.momentum > 0 ? 5_000.0 : 150
            work += Work(.formulas, evaluations * Double(m) * (optimizer.momentum > 0 ? 2 : 30)).onOneThread
        }
        return work
    }

    /// The covariance at one time.
    public static func covarianceWork(order m: Int, points t: Int, isFull: Bool) -> Work {
        Work.product(t, m, m) * 3 + (isFull ? Work.product(t, m, t) + Work.pass(t, t) * 6 : .none) + Work(.calls, 20).onOneThread
    }
}
