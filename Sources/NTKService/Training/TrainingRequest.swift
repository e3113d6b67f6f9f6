internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/trainings`, validated.
struct TrainingRequest: ComputeTask {
    var source: NetworkSource
    var training: NetworkTrainingSet
    var targets: Targets
    var test: Test?
    /// Steps to record, ascending.
    var steps: [Int]
    /// Nil for half of the largest with which the linearized network converges.
    var learningRate: Double?
    var momentum: Double

    struct Test: Sendable {
        var kernel: any TestKernel
        var x: Matrix<Double>
        var pattern: Matrix<Double>?
        var targets: Matrix<Double>?
    }

    private static let mostSteps = 1_000_000
    private static let mostRecords = 1_000

    init(_ value: JSONValue, _ store: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        guard case .architecture(let source) = try reader.network("network", store) else {
            throw .invalid(reader.pointer(to: "network"), "a network of an architecture expected, whose training is served; a model file came")
        }
        self.source = source
        training = try NetworkTrainingSet(source, &reader, points: "x_train", pattern: "pattern_train")
        targets = try Targets(&reader, count: training.count)
        guard targets.matrix.columns == training.network.outputs else {
            throw .invalid(
                "/\(reader.optional("labels") == nil ? "y_train" : "labels")",
                "\(training.network.outputs) targets a point expected, one for each output of the network (of an mlp: its `outputs`); "
                    + "\(targets.matrix.columns) came")
        }
        if reader.optional("x_test") != nil {
            let kernel = try training.readTest(&reader, .beside)
            let points = try reader.networkPoints("x_test", source.format)
            let pattern = try reader.pattern("pattern_test", training.network, points: kernel.count)
            let own = try reader.targets("y_test", count: kernel.count)?.matrix
            if let own, own.columns != targets.matrix.columns {
                throw .invalid("/y_test", "\(targets.matrix.columns) outputs a point expected, as in y_train; \(own.columns) came")
            }
            test = Test(kernel: kernel, x: points.values, pattern: pattern, targets: own)
        }
        steps = try reader.requiredIntegers("steps", in: 0...Self.mostSteps)
        learningRate = try reader.optionalNumber("learning_rate")
        momentum = try reader.number("momentum", default: 0)
        try reader.finish(orNull: ["x_test", "pattern_test", "y_test"])
        guard (1...Self.mostRecords).contains(steps.count), zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw .invalid("/steps", "1 to \(Self.mostRecords) numbers of steps in ascending order expected")
        }
        if let learningRate, !(learningRate > 0) { throw .invalid("/learning_rate", "a learning rate above 0 expected; \(learningRate) came") }
        guard (0..<1).contains(momentum) else { throw .invalid("/momentum", "a momentum from 0 to below 1 expected; \(momentum) came") }
    }

    /// A step, and the record of one.
    var stepWork: Work { NetworkTraining.stepWork(training.network, points: training.count, hasMomentum: momentum != 0) }
    var recordWork: Work {
        let points = training.count.addingClamped(test?.kernel.count ?? 0)
        return training.gramWork + training.network.outputsWork(points: points) + Work.pass(training.order, training.order) * 4
    }

    /// The steps, the records, and what the first kernel predicts.
    var work: Work {
        let points = test?.kernel.count ?? 0
        var work = stepWork * (steps.last ?? 0) + recordWork * (steps.count + 1) + source.work(training.network)
        // Without a learning rate the first kernel is decomposed for the largest one, and once more.
        work += (training.gramWork + Work.eigenvectors(training.order)) * (learningRate == nil ? 1 : 0)
        work +=
            training.gramWork
            + TrainingDynamics.work(
                order: training.order, columns: 1, points: points.multipliedClamped(by: training.network.outputs), times: steps.count,
                optimizer: momentum == 0 ? .gradientDescent(learningRate: 1) : .heavyBall(learningRate: 1, momentum: momentum), hasTargetLoss: false)
        if points > 0 { work += training.work(.cross, points: points) }
        return work
    }

    var tableBytes: Int { training.tableBytes }

    func workingBytes(threads: Int) -> Int { training.network.gatheredBytes(threads: threads, elementBytes: 8) }

    var peakBytes: Int {
        let (n, k, t) = (Count(training.count), Count(training.network.outputs), Count(test?.kernel.count ?? 0))
        let order = n * k
        let kernels = order * order * 5 + order * 2 * t * k
        let passes = Count(training.network.parameterCount) * 6 + n * 3 * Count(training.network.valuesPerPoint)
        return ((kernels + passes + Count(steps.count) * 2 * k * (n + t)) * 8).value
    }
}
