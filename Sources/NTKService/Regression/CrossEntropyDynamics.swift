internal import Attribution
internal import LinearAlgebra
internal import NTK

/// Computes and words the answer of `POST /v1/dynamics` with cross-entropy, which has no closed form.
enum CrossEntropyDynamics {
    static func answer(_ request: DynamicsRequest, _ classes: ClassTargets, tiles: any TileExecutor) throws -> Answer {
        let training = request.training
        let distinct = DuplicateGroups(distinct: training.order)
        let kernel = try training.trainTrain(training.kind, distinct, on: tiles)
        let (n, k) = (training.count, classes.classes.count)
        let initial = try request.initialTrain ?? training.initialOutputs(on: tiles) ?? Matrix(zeroRows: n, columns: k)
        let flow = CrossEntropyFlow(
            kernel, initial: initial, classes: classes.indices, rate: request.optimizer.learningRate, isDiscrete: request.optimizer.isDiscrete,
            areOutputsApart: training.outputs != nil)
        // In ascending order, and back in that of the request.
        let order = request.times.indices.sorted { request.times[$0] < request.times[$1] }
        var states = [Matrix<Double>](repeating: initial, count: request.times.count)
        do {
            for (place, state) in zip(order, try flow.states(order.map { request.times[$0] }, on: tiles)) { states[place] = state }
        } catch CrossEntropyError.tooLong(let time) {
            throw ProblemDetails.invalid(
                "/times", "times up to about \(time) expected: later ones take more than \(CrossEntropyFlow.mostProducts) products with the kernel")
        } catch CrossEntropyError.diverged {
            throw ProblemDetails(RegressionError.overflow)
        }
        let outputs = try states.map { try flow.outputs($0, on: tiles) }
        var body = Answer()
        body.append("times", request.times)
        body.append("train_loss", outputs.map(flow.loss))
        body.append(
            "train_accuracy",
            outputs.map { outputs in
                Double(classes.indices.enumerated().count { ClassCalibration.firstLargest(outputs.row($0.offset)) == $0.element }) / Double(n)
            })
        body.append("classes", json: ClassTargets.text(classes.classes))
        body.append("train_mean", outputs, asVectors: false)
        guard let test = request.test else { return body }
        let cross = try test.testTrain(training.kind, distinct, on: tiles)
        let initialTest =
            try request.initialTest ?? (request.initialTrain == nil ? test.initialOutputs(on: tiles) : nil)
            ?? Matrix(zeroRows: test.count, columns: k)
        body.append("mean", try states.map { try flow.outputs(cross, $0, initial: initialTest, on: tiles) }, asVectors: false)
        return body
    }
}
