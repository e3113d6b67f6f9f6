internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Which distribution of functions the covariance is of.
enum Posterior: String, CaseIterable, Sendable {
    /// A Gaussian process with this kernel.
    case gp
    /// Infinitely wide networks trained to convergence, over their initializations.
    case ensemble
}

enum Covariance: String, CaseIterable, Sendable {
    case none, diagonal, full
}

/// A training set with its targets and how to fit them: what a regressor is made from.
struct FitRequest: Sendable {
    var training: any TrainingKernel
    var targets: Targets
    var settings: FitSettings
    var posterior: Posterior
    /// Whether by conjugate gradients.
    var isIterative = false

    init(training: any TrainingKernel, targets: Targets, settings: FitSettings, posterior: Posterior) {
        self.training = training
        self.targets = targets
        self.settings = settings
        self.posterior = posterior
    }

    /// Reads the fields of a fit, but for `finish`.
    /// - Parameter memoryBytes: what one request may take: by that it is decided how the system is solved.
    init(_ reader: inout ObjectReader, _ networks: NetworkStore, memoryBytes: Int) throws(ProblemDetails) {
        training = try TrainingKernels.read(&reader, networks)
        targets = try Targets(&reader, count: training.count)
        try training.check(targets, "y_train")
        settings = try FitSettings(&reader)
        posterior = try reader.choice("posterior", default: .gp)
        if posterior == .ensemble, !training.kinds.contains(.nngp) {
            throw .invalid(
                "/posterior",
                "a kernel source with the outputs' covariance at initialization expected for the ensemble: an architecture, or matrices with nngp")
        }
        switch settings.solver {
        case .direct: break
        case .automatic: if case .fixed(let ridge) = settings.ridge { isIterative = training.canBePacked && ridge > 0 && directBytes > memoryBytes }
        case .conjugateGradient:
            guard training.canBePacked else { throw .invalid("/solver", "direct expected: this kernel source comes as a whole matrix") }
            guard case .fixed(let ridge) = settings.ridge, ridge > 0 else {
                throw .invalid("/ridge", "a number above 0 expected with conjugate gradients, which have no factor to select by")
            }
            isIterative = true
        }
    }

    /// The kernel, the factor, the diagnostics; by iteration some hundred products with the kernel, and the kernel itself some times.
    func work(needsCovariance: Bool) -> Work {
        let (n, k) = (training.order, training.outputs == nil ? targets.matrix.columns : 1)
        // Points are compared with each other, by their hashes.
        let duplicates = Work(.formulas, 100 * Double(n) + 2 * Double(training.count) * Double(training.numbersPerPoint)).onOneThread
        if isIterative {
            return duplicates
                + KernelRidgeRegression.iterativeWork(order: n, columns: k, packing: training.gramWork, exact: training.gramWork)
        }
        let isComplete: Bool? =
            switch settings.completeness {
            case .automatic: nil
            case .complete: true
            case .fast: false
            }
        return duplicates + training.gramWork
            + KernelRidgeRegression.work(
                order: n, columns: k, ridge: settings.ridge, onSingular: settings.onSingular, isComplete: isComplete,
                needsFactor: needsCovariance || settings.completeness == .automatic && n <= RegressionOptions.completeUpTo)
    }

    var peakBytes: Int {
        guard isIterative else { return directBytes }
        let n = Count(training.count)
        let rank = Count(KernelRidgeRegression.standardPreconditionerRank(training.count))
        return (Count(PackedKernel.bytes(order: training.count)) + n * 8 * (rank * 3 + 2 * Count(training.numbersPerPoint) + targetNumbers)).value
    }

    /// Bytes of the kernel, in which it is factored, of its copy in float32 for residuals, and of eigenvectors where a ridge is selected; points are
    /// there as they came and as unit vectors, in rows and in panels.
    private var directBytes: Int {
        let n = Count(training.order)
        let matrices = if case .select(.leaveOneOut, _) = settings.ridge { 4 } else if case .select = settings.ridge { 2 } else { 1 }
        return (n * n * Count(8 * matrices + 4) + n * 24 * Count(training.numbersPerPoint) + n * 8 * targetNumbers).value
    }

    /// Numbers of the targets of a point, of their residuals and coefficients, and of what the fit predicts for them; of classes, also of what
    /// calibrates their probabilities.
    private var targetNumbers: Count {
        if case .classes = targets { Count(targets.matrix.columns) * 12 } else { Count(targets.matrix.columns) * 8 }
    }
}

/// What is asked of a fit at test points.
struct TestRequest: Sendable {
    var test: any TestKernel
    var covariance: Covariance

    init(_ reader: inout ObjectReader, _ training: any TrainingKernel, _ names: TestFieldNames) throws(ProblemDetails) {
        test = try training.readTest(&reader, names)
        covariance = try reader.choice("covariance", default: .none)
    }

    /// Whether the mean is the only array.
    func answersOneArray(_ targets: Targets) -> Bool { if case .values = targets { covariance == .none } else { false } }

    func work(_ fit: FitRequest) -> Work {
        let (n, t) = (fit.training.order, test.count.multipliedClamped(by: fit.training.outputs ?? 1))
        var work = fit.training.work(.cross, points: test.count) + Work.product(t, n, fit.targets.matrix.columns) + Work(.calls, 5).onOneThread
        if covariance != .none {
            work += fit.training.work(covariance == .full ? .gram : .diagonal, points: test.count)
            work += KernelRidgeRegression.covarianceWork(order: n, points: t, isFull: covariance == .full)
            // The other kernel, and the map from targets to outputs.
            if fit.posterior == .ensemble {
                work += fit.training.gramWork + fit.training.work(.cross, points: test.count) + Work.product(t, n, n) * 2
            }
        }
        return work
    }

    func peakBytes(_ fit: FitRequest) -> Int {
        let (n, t) = (Count(fit.training.order), Count(test.count) * Count(fit.training.outputs ?? 1))
        var elements = n * t
        if covariance != .none {
            elements = elements * (fit.posterior == .ensemble ? 4 : 2)
            if fit.posterior == .ensemble { elements += n * n * 2 }
        }
        if covariance == .full { elements += t * t * 3 }
        return ((elements + t * 3 * Count(fit.training.numbersPerPoint) + t * 3 * Count(fit.targets.matrix.columns)) * 8).value
    }
}

/// `POST /v1/predictions`, validated.
struct PredictionRequest: ComputeTask {
    var fit: FitRequest
    var test: TestRequest

    init(_ value: JSONValue, _ networks: NetworkStore, memoryBytes: Int) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        fit = try FitRequest(&reader, networks, memoryBytes: memoryBytes)
        test = try TestRequest(&reader, fit.training, .beside)
        try reader.finish(orNull: ["x_train", "pattern_train", "x_test", "pattern_test"])
        if fit.isIterative && test.covariance != .none {
            throw .invalid("/covariance", "none expected with conjugate gradients, which have no factor; the system's takes too much memory")
        }
    }

    var answersOneArray: Bool { test.answersOneArray(fit.targets) }

    var work: Work { fit.work(needsCovariance: test.covariance != .none) + test.work(fit) }
    var peakBytes: Int { fit.peakBytes.addingClamped(test.peakBytes(fit)) }
    var tableBytes: Int { fit.training.tableBytes }
    func workingBytes(threads: Int) -> Int { fit.training.workingBytes(with: test.test.count, threads: threads) }
}
