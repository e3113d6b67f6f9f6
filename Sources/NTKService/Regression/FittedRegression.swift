internal import LinearAlgebra
internal import NTK

/// A training set that has been fitted, and the predictions of it.
struct FittedRegression: Sendable {
    let training: any TrainingKernel
    let targets: Targets
    let posterior: Posterior
    let regression: KernelRidgeRegression
    /// For classes, if there are leave-one-out scores to calibrate by.
    let calibration: ClassCalibration?

    /// Fits what a request asks for.
    init(_ request: FitRequest, needsCovariance: Bool, on tiles: any TileExecutor) throws {
        training = request.training
        targets = request.targets
        posterior = request.posterior
        let groups = request.training.duplicates()
        if request.isIterative {
            regression = try Self.iterative(request, groups, on: tiles)
            calibration = nil
            return
        }
        let kernel = try request.training.trainTrain(request.training.kind, groups, on: tiles)
        var trace = 0.0
        for (index, value) in kernel.diagonal.enumerated() { trace += value * (groups.multiplicities[index] / Double(groups.pointCount)) }
        let options = try request.settings.options(
            meanDiagonal: trace, count: groups.groupCount, needsCovariance: needsCovariance, of: request.training)
        let fitted = request.training.rows(request.targets.matrix)
        let initial = try request.training.initialOutputs(on: tiles).map(request.training.rows)
        regression = try KernelRidgeRegression(
            inPlace: kernel, groups: groups, targets: initial.map { fitted.subtracting($0) } ?? fitted, options: options, on: tiles)
        if case .classes(let classes) = request.targets, let residuals = regression.leaveOneOutResiduals {
            calibration = ClassCalibration(scores: request.training.outputs(fitted.subtracting(residuals)), classes: classes.indices)
        } else {
            calibration = nil
        }
    }

    /// By conjugate gradients.
    private static func iterative(
        _ request: FitRequest, _ groups: DuplicateGroups, on tiles: any TileExecutor
    ) throws -> KernelRidgeRegression {
        let training = request.training
        var ridge = 0.0
        let packed = try training.packed(groups, on: tiles) { diagonal in
            let trace = zip(diagonal, groups.multiplicities).reduce(0) { $0 + $1.0 * ($1.1 / Double(groups.pointCount)) }
            let options = try request.settings.options(
                meanDiagonal: trace, count: groups.groupCount, needsCovariance: false, of: training)
            guard case .fixed(let value) = options.ridge else { throw ProblemDetails.invalid("/ridge", "a number expected with conjugate gradients") }
            ridge = value
            return UnitScaling(diagonal: zip(diagonal, groups.multiplicities).map { $0 * $1 + value }, tame: 40)
        }
        guard let packed else { throw ProblemDetails.invalid("/solver", "a kernel expected that is not given as matrices") }
        let targets = request.targets.matrix
        return try KernelRidgeRegression(
            packed: packed, groups: groups, targets: try training.initialOutputs(on: tiles).map { targets.subtracting($0) } ?? targets,
            options: .init(ridge: ridge), on: tiles
        ) { try training.multiply(groups, $0, on: tiles) }
    }

    /// A fit that was stored, for means alone.
    init(
        training: any TrainingKernel, targets: Targets, posterior: Posterior, regression: KernelRidgeRegression, calibration: ClassCalibration?
    ) {
        self.training = training
        self.targets = targets
        self.posterior = posterior
        self.regression = regression
        self.calibration = calibration
    }

    /// Whether targets came as [n], and so go back.
    var isVector: Bool {
        if case .values(_, isVector: true) = targets { true } else { false }
    }

    /// f(x*) [t, k].
    func mean(_ test: any TestKernel, _ testTrain: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let mean = try regression.mean(testTrain, on: tiles)
        guard mean.isFinite else { throw RegressionError.overflow }
        let outputs = training.outputs(mean)
        return try test.initialOutputs(on: tiles).map { outputs.adding($0) } ?? outputs
    }

    /// The variance of f at each test point.
    func variance(_ test: any TestKernel, _ testTrain: Matrix<Double>, on tiles: any TileExecutor) throws -> [Double] {
        try test.checked(posterior == .gp ? training.kind : .nngp) {
            switch posterior {
            case .gp:
                try regression.variance(testTrain, diagonal: test.diagonal(training.kind, on: tiles), rounding: rounding(test), on: tiles)
            case .ensemble: try ensemble(test, testTrain, on: tiles).diagonal(test.diagonal(.nngp, on: tiles))
            }
        }
    }

    /// The covariance of f among the test points.
    func covariance(_ test: any TestKernel, _ testTrain: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try test.checked(posterior == .gp ? training.kind : .nngp) {
            switch posterior {
            case .gp:
                try regression.covariance(testTrain, testTest: test.testTest(training.kind, on: tiles), rounding: rounding(test), on: tiles)
            case .ensemble: try ensemble(test, testTrain, on: tiles).full(test.testTest(.nngp, on: tiles), on: tiles)
            }
        }
    }

    private func rounding(_ test: any TestKernel) -> Double { max(training.entryRounding, test.entryRounding) }

    private func ensemble(_ test: any TestKernel, _ testTrain: Matrix<Double>, on tiles: any TileExecutor) throws -> EnsembleCovariance {
        try EnsembleCovariance(
            map: regression.map(testTrain, on: tiles), trainTrain: training.trainTrain(.nngp, regression.groups, on: tiles),
            testTrain: test.testTrain(.nngp, regression.groups, on: tiles), rounding: rounding(test), on: tiles)
    }
}

extension TestKernel {
    /// What is made of the kernel of these points; a variance below 0 is a fault of its value at the point.
    func checked<Result>(_ kind: KernelKind, _ make: () throws -> Result) throws -> Result {
        do {
            return try make()
        } catch RegressionError.negativeVariance(let test, let value, let prior) {
            throw ProblemDetails.invalid(
                pointer(ofPrior: test, kind),
                "values of one positive semi-definite kernel expected; k(x*, x*) is \(prior) here, and less what the training points explain "
                    + "\(value), which is further below 0 than rounding: test_test, test_train and train_train do not belong together")
        }
    }
}
