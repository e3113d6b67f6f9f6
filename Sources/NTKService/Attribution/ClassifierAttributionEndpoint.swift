internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Computes and words the answer of `POST /v1/attributions` of trained classifiers.
enum ClassifierAttributionEndpoint {
    static func answer(_ request: ClassifierAttributionRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            return try compute(request, tiles)
        } catch is NotPositiveDefinite {
            throw ProblemDetails(RegressionError.singular(ridge: request.ridge, reciprocalCondition: 0, jitter: 0))
        } catch let error as LaplaceError {
            throw ProblemDetails(error)
        }
    }

    private static func compute(_ request: ClassifierAttributionRequest, _ tiles: any TileExecutor) throws -> Answer {
        let outputs = try request.checkpoints.map { checkpoint in
            let train = try checkpoint.network.initialOutputs(on: tiles)
            let test = try checkpoint.test.initialOutputs(on: tiles)
            guard let train, let test else { throw LaplaceError.overflow }
            return (train: OutputCurvature.probabilities(train), test: OutputCurvature.probabilities(test), logits: train, testLogits: test)
        }
        let count = Double(outputs.count)
        let mean = outputs.dropFirst().reduce(outputs[0].test) { $0.adding($1.test) }.map { $0 / count }
        let predicted = (0..<mean.rows).map { ClassCalibration.firstLargest(mean.row($0)) }
        let classes = request.testLabels ?? predicted
        var trak = ClassifierAttribution.Trak()
        var influence: Matrix<Double>?
        for (checkpoint, own) in zip(request.checkpoints, outputs) {
            let network = checkpoint.network
            switch request.kind {
            case .trak:
                let derivatives = LabelNumber.logOddsDerivatives(own.logits, classes: request.labels)
                let kernel = try network.scalarKernel(derivatives, on: tiles)
                let cross = try network.scalarKernel(
                    checkpoint.test, LabelNumber.logOddsDerivatives(own.testLogits, classes: classes), derivatives, on: tiles)
                let doubts = LabelNumber.doubts(own.train, classes: request.labels)
                try trak.add(inPlace: kernel, cross: cross, doubts: doubts, ridge: request.ridge, on: tiles)
            case .gaussNewton:
                let distinct = DuplicateGroups(distinct: network.order)
                let cross = try ClassifierAttribution.contractRows(
                    checkpoint.test.testTrain(.ntk, distinct, on: tiles), LabelNumber.lossDerivatives(own.test, classes: classes), on: tiles)
                let found = try ClassifierAttribution.gaussNewton(
                    inPlace: network.trainTrain(.ntk, distinct, on: tiles), cross: cross, .softmax(own.train),
                    derivatives: LabelNumber.lossDerivatives(own.train, classes: request.labels), damping: request.ridge, on: tiles)
                influence = influence.map { $0.adding(found) } ?? found
            }
        }
        let scores = influence?.map { $0 / count } ?? trak.scores()
        guard scores.isFinite else { throw LaplaceError.overflow }
        var body = Answer()
        body.append("labels") { $0.list(predicted) }
        body.append("probabilities", mean)
        if let top = request.top {
            let largest = ClassifierAttribution.largest(scores, top: top)
            body.append("indices") { json in
                json.beginArray()
                for points in largest.points { json.list(points) }
                json.endArray()
            }
            body.append("influence", largest.values)
        } else {
            body.append("influence", scores)
        }
        return body
    }
}

extension Matrix where Element == Double {
    fileprivate func map(_ change: (Double) -> Double) -> Matrix { combining(self) { value, _ in change(value) } }
}

/// A task of either form of attributions.
enum AttributionTask: ComputeTask {
    case regression(AttributionRequest)
    case classifier(ClassifierAttributionRequest)

    private var task: any ComputeTask {
        switch self {
        case .regression(let request): request
        case .classifier(let request): request
        }
    }

    var peakBytes: Int { task.peakBytes }
    func workingBytes(threads: Int) -> Int { task.workingBytes(threads: threads) }
    var work: Work { task.work }
    var tableBytes: Int { task.tableBytes }
}
