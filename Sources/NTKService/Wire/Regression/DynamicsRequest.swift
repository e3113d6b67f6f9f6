internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/dynamics`, validated.
struct DynamicsRequest: ComputeTask {
    enum OptimizerType: String, CaseIterable {
        case gradientFlow = "gradient_flow"
        case gradientDescent = "gradient_descent"
        case heavyBall = "heavy_ball"
    }

    enum Loss: String, CaseIterable {
        /// ½ · mean over points and outputs of the squared error.
        case squaredError = "squared_error"
        /// −mean over points of log p of their classes.
        case crossEntropy = "cross_entropy"
    }

    var training: any TrainingKernel
    var targets: Targets
    var loss: Loss
    var test: (any TestKernel)?
    var testTargets: Matrix<Double>?
    var times: [Double]
    var optimizer: Optimizer
    /// f₀ as it was given; nil where the kernel's source tells it.
    var initialTrain: Matrix<Double>?
    var initialTest: Matrix<Double>?
    var covariance: Covariance
    var targetLoss: Double?

    private static let mostTimes = 10_000

    init(_ value: JSONValue, _ networks: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        training = try TrainingKernels.read(&reader, networks)
        targets = try Targets(&reader, count: training.count)
        try training.check(targets, "y_train")
        let k = targets.matrix.columns
        loss = try reader.choice("loss", default: .squaredError)
        covariance = try reader.choice("covariance", default: .none)
        optimizer = try Self.optimizer(reader.optional("optimizer"), at: reader.pointer(to: "optimizer"))
        times = try Self.times(&reader, isDiscrete: optimizer.isDiscrete)
        targetLoss = try reader.optionalNumber("target_loss")
        if let targetLoss, !(targetLoss >= 0) { throw .invalid("/target_loss", "a loss of 0 or more expected; \(targetLoss) came") }
        if Self.hasTest(&reader) || covariance != .none {
            let kernel = try training.readTest(&reader, .beside)
            test = kernel
            testTargets = try reader.targets("y_test", count: kernel.count)?.matrix
            if let testTargets, testTargets.columns != k { throw .invalid("/y_test", "\(k) outputs a point expected, as in y_train") }
        }
        if let initial = reader.optional("initial_outputs") { try readInitial(initial, outputs: k) }
        try reader.finish(orNull: ["x_train", "pattern_train", "x_test", "pattern_test", "y_test", "initial_outputs"])
        if loss == .crossEntropy { try checkCrossEntropy() }
        if covariance != .none {
            guard training.kinds.contains(.nngp) else {
                throw .invalid(
                    "/covariance", "a kernel source with the outputs' covariance at initialization expected: an architecture, or matrices with nngp")
            }
            guard initialTrain == nil else {
                throw .invalid("/covariance", "none expected with given initial outputs: the covariance is over random ones")
            }
        }
    }

    /// What has no closed form has no covariance, and is found at given times.
    private func checkCrossEntropy() throws(ProblemDetails) {
        guard case .classes(let classes) = targets else { throw .invalid("/labels", "labels expected with cross-entropy; y_train came") }
        guard classes.classes.count > 1 else { throw .invalid("/labels", "two classes or more expected with cross-entropy") }
        if covariance != .none { throw .invalid("/covariance", "none expected with cross-entropy") }
        if targetLoss != nil { throw .invalid("/target_loss", "no target expected with cross-entropy") }
        if testTargets != nil { throw .invalid("/y_test", "no targets of test points expected with cross-entropy") }
        if case .heavyBall = optimizer {
            throw .invalid("/optimizer/type", "\"gradient_flow\" or \"gradient_descent\" expected with cross-entropy")
        }
    }

    /// Products with the kernel that a training with cross-entropy is taken to need.
    private static let usualProducts = 2_000.0

    /// Test points are optional here.
    private static func hasTest(_ reader: inout ObjectReader) -> Bool {
        if reader.optional("x_test") != nil || reader.optional("y_test") != nil { return true }
        guard case .object(let source)? = reader.optional("kernel"), case .object(let matrices)? = source["matrices"] else { return false }
        return matrices["test_train"] != nil
    }

    private mutating func readInitial(_ value: JSONValue, outputs k: Int) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "/initial_outputs")
        guard let train = try reader.targets("train", count: training.count)?.matrix else {
            throw .invalid("/initial_outputs/train", "the outputs at the training points expected; the field is missing")
        }
        initialTrain = train
        let test = try reader.targets("test", count: self.test?.count ?? 0)?.matrix
        try reader.finish()
        if self.test != nil && test == nil {
            throw .invalid("/initial_outputs/test", "the outputs at the test points expected; the field is missing")
        }
        initialTest = test
        for (field, matrix) in [("train", train), ("test", test ?? train)] where matrix.columns != k {
            throw .invalid("/initial_outputs/\(field)", "\(k) outputs a point expected, as in y_train; \(matrix.columns) came")
        }
    }

    private static func optimizer(_ value: JSONValue?, at pointer: String) throws(ProblemDetails) -> Optimizer {
        guard let value else { return .gradientFlow(learningRate: 1) }
        var reader = try ObjectReader(value, at: pointer)
        let type: OptimizerType = try reader.requiredChoice("type")
        let rate = try reader.number("learning_rate", default: 1)
        let momentum = type == .heavyBall ? try reader.number("momentum", default: 0.9) : 0
        try reader.finish(orNull: ["momentum"])
        guard rate > 0 else { throw .invalid("\(pointer)/learning_rate", "a learning rate above 0 expected; \(rate) came") }
        guard (0..<1).contains(momentum) else { throw .invalid("\(pointer)/momentum", "a momentum from 0 to below 1 expected; \(momentum) came") }
        return switch type {
        case .gradientFlow: .gradientFlow(learningRate: rate)
        case .gradientDescent: .gradientDescent(learningRate: rate)
        case .heavyBall: .heavyBall(learningRate: rate, momentum: momentum)
        }
    }

    private static func times(_ reader: inout ObjectReader, isDiscrete: Bool) throws(ProblemDetails) -> [Double] {
        let array = try reader.array("times", "a list of times, or of numbers of steps,")
        guard array.shape.count == 1, (1...mostTimes).contains(array.elements.count) else {
            throw .invalid("/times", "a list of 1 to \(mostTimes) times expected; shape \(array.shape) came")
        }
        for (index, time) in array.elements.enumerated() {
            guard time >= 0 else { throw .invalid("/times/\(index)", "a time of 0 or more expected") }
            guard !isDiscrete || (time == time.rounded() && time <= 0x1p53) else {
                throw .invalid("/times/\(index)", "a whole number of steps up to 2^53 expected, as the optimizer takes steps; \(time) came")
            }
        }
        return Array(array.elements)
    }

    var work: Work {
        let (n, points) = (training.order, test?.count ?? 0)
        let t = points.multipliedClamped(by: training.outputs ?? 1)
        var work =
            training.gramWork
            + TrainingDynamics.work(
                order: n, columns: training.outputs == nil ? targets.matrix.columns : 1, points: t, times: times.count, optimizer: optimizer,
                hasTargetLoss: targetLoss != nil)
        if loss == .crossEntropy {
            let products = optimizer.isDiscrete ? max(times.max() ?? 0, 1) : Self.usualProducts
            let size = Double(n) * Double(n) * Double(training.outputs == nil ? targets.matrix.columns : 1)
            work = training.gramWork + Work(.products, 2 * size * products) + Work(.formulas, 40 * Double(targets.matrix.rows) * products)
        }
        if test != nil { work += training.work(.cross, points: points) }
        if covariance != .none {
            work += training.gramWork + training.work(.cross, points: points)
            work += training.work(covariance == .full ? .gram : .diagonal, points: points)
            work += TrainingDynamics.covarianceWork(order: n, points: t, isFull: covariance == .full) * times.count
        }
        return work
    }

    var tableBytes: Int { training.tableBytes }
    func workingBytes(threads: Int) -> Int { training.workingBytes(with: test?.count ?? 0, threads: threads) }

    var peakBytes: Int {
        let (n, t, k) = (Count(training.order), Count(test?.count ?? 0) * Count(training.outputs ?? 1), Count(targets.matrix.columns))
        let times = Count(times.count)
        // The kernel, its eigenvectors and room to find them; the targets in both bases, the answer and its text.
        var elements = n * n * 3 + n * 2 * t + (n + t) * 3 * Count(training.numbersPerPoint) + n * 4 * k + times * k * (n + t)
        if covariance != .none { elements += n * (n + 4 * t) + times * t }
        if covariance == .full { elements += times * t * t }
        return (elements * 8).value
    }
}
