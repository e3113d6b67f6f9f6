internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let dynamics = computing("/v1/dynamics") { service, _, _ in
        let networks = service.networks
        return Computation({ value throws(ProblemDetails) in try DynamicsRequest(value, networks) }, answer: DynamicsEndpoint.answer)
    }
}

/// Computes and words the answer of `POST /v1/dynamics`.
enum DynamicsEndpoint {
    static func answer(_ request: DynamicsRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            if request.loss == .crossEntropy, case .classes(let classes) = request.targets {
                return try CrossEntropyDynamics.answer(request, classes, tiles: tiles)
            }
            return try compute(request, tiles)
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    private static func compute(_ request: DynamicsRequest, _ tiles: any TileExecutor) throws -> Answer {
        let training = request.training
        let groups = training.duplicates()
        let targets = training.rows(request.targets.matrix)
        let initialTrain = try request.initialTrain ?? training.initialOutputs(on: tiles)
        let dynamics = try TrainingDynamics(
            inPlace: training.trainTrain(training.kind, groups, on: tiles), groups: groups, targets: targets,
            initial: initialTrain.map(training.rows),
            optimizer: request.optimizer, rounding: training.entryRounding, on: tiles)
        let isVector = if case .values(_, true) = request.targets { true } else { false }

        var body = Answer()
        body.append("times", request.times)
        body.append("max_learning_rate", nullable: dynamics.maximumLearningRate)
        body.append(
            "train_loss",
            try request.times.map { time in
                // Cancellation is looked for.
                try tiles.forEach(0) { _ in }
                return try finite(dynamics.trainLoss(time), dynamics)
            })
        if let loss = request.targetLoss { body.append("time_to_loss", nullable: try dynamics.timeToReach(loss: loss, on: tiles)) }
        body.append("rank", dynamics.rank)
        body.append("duplicates_merged", groups.mergedCount)
        body.append(
            "train_mean",
            try request.times.map { time in
                let change = training.outputs(try dynamics.trainChange(time, on: tiles))
                return try finite(initialTrain.map { $0.adding(change) } ?? change, dynamics)
            }, asVectors: isVector)
        if let test = request.test { try append(test, request, dynamics, isVector, to: &body, tiles) }
        return body
    }

    private static func append(
        _ test: any TestKernel, _ request: DynamicsRequest, _ dynamics: TrainingDynamics, _ isVector: Bool, to body: inout Answer,
        _ tiles: any TileExecutor
    ) throws {
        let (training, groups) = (request.training, dynamics.groups)
        let testTrain = try test.testTrain(training.kind, groups, on: tiles)
        let initialTest = try request.initialTest ?? (request.initialTrain == nil ? test.initialOutputs(on: tiles) : nil)
        let means = try request.times.map { time in
            let change = training.outputs(try dynamics.testChange(time, testTrain: testTrain, on: tiles))
            return try finite(initialTest.map { $0.adding(change) } ?? change, dynamics)
        }
        body.append("mean", means, asVectors: isVector)
        if let targets = request.testTargets {
            let losses = try means.map { mean in
                try finite(mean.subtracting(targets).rowSquares.reduce(0, +) / Double(2 * targets.rows * targets.columns), dynamics)
            }
            body.append("test_loss", losses)
        }
        guard request.covariance != .none else { return }
        let nngp = (train: try training.trainTrain(.nngp, groups, on: tiles), cross: try test.testTrain(.nngp, groups, on: tiles))
        func ensemble(_ time: Double) throws -> EnsembleCovariance {
            try EnsembleCovariance(
                map: finite(dynamics.map(time, testTrain: testTrain, on: tiles), dynamics), trainTrain: nngp.train, testTrain: nngp.cross,
                rounding: max(training.entryRounding, test.entryRounding), on: tiles)
        }
        try test.checked(.nngp) {
            if request.covariance == .diagonal {
                let prior = try test.diagonal(.nngp, on: tiles)
                let variances = try request.times.map { try ensemble($0).diagonal(prior) }
                body.append("variance", try finite(Matrix(rows: variances.count, columns: prior.count, variances.flatMap { $0 }), dynamics))
            } else {
                let prior = try test.testTest(.nngp, on: tiles)
                body.append("covariance", try request.times.map { try finite(ensemble($0).full(prior, on: tiles), dynamics) }, asVectors: false)
            }
        }
    }

    private static func finite(_ matrix: Matrix<Double>, _ dynamics: TrainingDynamics) throws -> Matrix<Double> {
        guard matrix.isFinite else { throw diverges(dynamics) }
        return matrix
    }

    private static func finite(_ number: Double, _ dynamics: TrainingDynamics) throws -> Double {
        guard number.isFinite else { throw diverges(dynamics) }
        return number
    }

    private static func diverges(_ dynamics: TrainingDynamics) -> ProblemDetails {
        guard dynamics.optimizer.isDiscrete, let most = dynamics.maximumLearningRate, dynamics.optimizer.learningRate >= most else {
            return ProblemDetails(RegressionError.overflow)
        }
        return .invalid(
            "/optimizer/learning_rate",
            "a learning rate below \(most) expected, at which training still converges; \(dynamics.optimizer.learningRate) "
                + "came, with which the outputs leave the range of float64")
    }
}
