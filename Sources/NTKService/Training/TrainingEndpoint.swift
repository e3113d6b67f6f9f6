internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let trainings = computing("/v1/trainings") { service, _, _ in
        let networks = service.networks
        return Computation({ value throws(ProblemDetails) in try TrainingRequest(value, networks) }, answer: TrainingEndpoint.answer)
    }
}

/// Trains a finite network and words the answer of `POST /v1/trainings`: beside every record stands what the tangent kernel of the initial
/// weights predicts for the same step, so that one sees how lazy the training is.
enum TrainingEndpoint {
    static func answer(_ request: TrainingRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            return try compute(request, tiles)
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        } catch let error as NetworkError {
            throw ProblemDetails(error, at: request.subject.place)
        }
    }

    private static func compute(_ request: TrainingRequest, _ tiles: any TileExecutor) throws -> Answer {
        let set = request.training
        let targets = request.targets.matrix
        let groups = set.duplicates()
        let initial = try set.initialOutputs(on: tiles)
        func dynamics(_ optimizer: Optimizer) throws -> TrainingDynamics {
            try TrainingDynamics(
                inPlace: set.trainTrain(.ntk, groups, on: tiles), groups: groups, targets: set.rows(targets), initial: initial.map(set.rows),
                optimizer: optimizer, rounding: set.entryRounding, on: tiles)
        }
        func optimizer(_ rate: Double) -> Optimizer {
            request.momentum == 0 ? .gradientDescent(learningRate: rate) : .heavyBall(learningRate: rate, momentum: request.momentum)
        }
        var kernel = try dynamics(optimizer(request.learningRate ?? 1))
        let most = kernel.maximumLearningRate
        let rate = request.learningRate ?? (most ?? 2) / 2
        if request.learningRate == nil { kernel = try dynamics(optimizer(rate)) }

        let records = try RecordedTraining.records(request, rate: rate, on: tiles)
        let cross = try request.test.map { try $0.testTrain(.ntk, groups, on: tiles) }
        let initialTest = try request.test.flatMap { try $0.initialOutputs(on: tiles) }
        let predicted = try request.steps.map { step in
            let change = set.outputs(try kernel.trainChange(Double(step), on: tiles))
            return try finite(initial.map { $0.adding(change) } ?? change, most)
        }
        let predictedTest = try cross.map { cross in
            try request.steps.map { step in
                let change = set.outputs(try kernel.testChange(Double(step), testTrain: cross, on: tiles))
                return try finite(initialTest.map { $0.adding(change) } ?? change, most)
            }
        }
        return body(request, rate: rate, most: most, records, predicted: predicted, predictedTest: predictedTest)
    }

    private static func body(
        _ request: TrainingRequest, rate: Double, most: Double?, _ records: [RecordedTraining.Record], predicted: [Matrix<Double>],
        predictedTest: [Matrix<Double>]?
    ) -> Answer {
        let targets = request.targets.matrix
        let isVector = if case .values(_, true) = request.targets { true } else { false }
        func loss(_ outputs: Matrix<Double>, _ targets: Matrix<Double>) -> Double {
            outputs.subtracting(targets).sumOfSquares / Double(2 * targets.rows * targets.columns)
        }
        var body = Answer()
        body.append("steps") { $0.list(request.steps) }
        body.append("learning_rate", nullable: rate)
        body.append("max_learning_rate", nullable: most)
        body.append("train_loss", nullable: records.map { loss($0.train, targets) })
        body.append("kernel_train_loss", nullable: predicted.map { loss($0, targets) })
        if let testTargets = request.testTargets, let predictedTest {
            body.append("test_loss", nullable: records.map { record in record.test.map { loss($0, testTargets) } })
            body.append("kernel_test_loss", nullable: predictedTest.map { loss($0, testTargets) })
        }
        body.append("kernel_drift", nullable: records.map(\.drift))
        body.append("parameter_distance", nullable: records.map(\.distance.absolute))
        body.append("relative_parameter_distance", nullable: records.map(\.distance.relative))
        body.append(
            "deviation",
            nullable: zip(records, predicted).map { record, predicted in
                let size = predicted.sumOfSquares.squareRoot()
                return size > 0 ? record.train.subtracting(predicted).sumOfSquares.squareRoot() / size : nil
            })
        body.append("train_outputs", records.map(\.train), asVectors: isVector)
        body.append("kernel_train_outputs", predicted, asVectors: isVector)
        if let predictedTest {
            body.append("test_outputs", records.compactMap(\.test), asVectors: isVector)
            body.append("kernel_test_outputs", predictedTest, asVectors: isVector)
        }
        return body
    }

    private static func finite(_ matrix: Matrix<Double>, _ most: Double?) throws -> Matrix<Double> {
        guard matrix.isFinite else {
            throw ProblemDetails.invalid("/learning_rate", "a learning rate below \(most ?? 0) expected, at which training still converges")
        }
        return matrix
    }
}
