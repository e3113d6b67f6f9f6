internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/trainings`, validated.
struct TrainingRequest: ComputeTask {
    var subject: any TrainingSubject
    var targets: Targets
    /// At the test points.
    var testTargets: Matrix<Double>?
    /// Steps to record, ascending.
    var steps: [Int]
    /// Nil for half of the largest with which the linearized network converges.
    var learningRate: Double?
    var momentum: Double

    var training: any TrainingKernel { subject.training }
    var test: (any TestKernel)? { subject.test }

    private static let mostSteps = 1_000_000
    private static let mostRecords = 1_000

    init(_ value: JSONValue, _ store: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        switch try reader.network("network", store) {
        case .architecture(let source): subject = try ArchitectureSubject(source, &reader)
        case .file(let file): subject = try ModelSubject(file, &reader)
        }
        let (count, outputs) = (subject.training.count, subject.training.outputs ?? 0)
        targets = try Targets(&reader, count: count)
        guard targets.matrix.columns == outputs else {
            throw .invalid(
                "/\(reader.optional("labels") == nil ? "y_train" : "labels")",
                "\(outputs) targets a point expected, one for each output of the network (of an mlp: its `outputs`); "
                    + "\(targets.matrix.columns) came")
        }
        if reader.optional("x_test") != nil {
            testTargets = try reader.targets("y_test", count: subject.readTest(&reader))?.matrix
            if let testTargets, testTargets.columns != targets.matrix.columns {
                throw .invalid("/y_test", "\(targets.matrix.columns) outputs a point expected, as in y_train; \(testTargets.columns) came")
            }
        }
        steps = try reader.requiredIntegers("steps", in: 0...Self.mostSteps)
        learningRate = try reader.optionalNumber("learning_rate")
        momentum = try reader.number("momentum", default: 0)
        try reader.finish(orNull: ["x_test", "pattern_train", "pattern_test", "y_test", "output", "include", "exclude"])
        guard (1...Self.mostRecords).contains(steps.count), zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw .invalid("/steps", "1 to \(Self.mostRecords) numbers of steps in ascending order expected")
        }
        if let learningRate, !(learningRate > 0) { throw .invalid("/learning_rate", "a learning rate above 0 expected; \(learningRate) came") }
        guard (0..<1).contains(momentum) else { throw .invalid("/momentum", "a momentum from 0 to below 1 expected; \(momentum) came") }
    }

    /// A step, and the record of one.
    var stepWork: Work { subject.stepWork(hasMomentum: momentum != 0) }
    var recordWork: Work {
        let points = training.count.addingClamped(test?.count ?? 0)
        return training.gramWork + subject.outputsWork(points: points) + Work.pass(training.order, training.order) * 4
    }

    /// The steps, the records, and what the first kernel predicts.
    var work: Work {
        let points = test?.count ?? 0
        var work = stepWork * (steps.last ?? 0) + recordWork * (steps.count + 1) + subject.startWork
        // Without a learning rate the first kernel is decomposed for the largest one, and once more.
        work += (training.gramWork + Work.eigenvectors(training.order)) * (learningRate == nil ? 1 : 0)
        work +=
            training.gramWork
            + TrainingDynamics.work(
                order: training.order, columns: 1, points: points.multipliedClamped(by: training.outputs ?? 1), times: steps.count,
                optimizer: momentum == 0 ? .gradientDescent(learningRate: 1) : .heavyBall(learningRate: 1, momentum: momentum), hasTargetLoss: false)
        if points > 0 { work += training.work(.cross, points: points) }
        return work
    }

    var tableBytes: Int { training.tableBytes }

    func workingBytes(threads: Int) -> Int { training.workingBytes(with: test?.count ?? 0, threads: threads) }

    var peakBytes: Int {
        let (n, k, t) = (Count(training.count), Count(training.outputs ?? 1), Count(test?.count ?? 0))
        let order = n * k
        let kernels = order * order * 5 + order * 2 * t * k
        return ((kernels + Count(steps.count) * 2 * k * (n + t)) * 8 + Count(subject.runBytes)).value
    }
}
