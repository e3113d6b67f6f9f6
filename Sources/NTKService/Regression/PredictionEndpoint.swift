internal import LinearAlgebra
internal import NTK

/// Fits, predicts, and words the answer of `POST /v1/predictions`.
enum PredictionEndpoint {
    static func answer(_ request: PredictionRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            let fit = try FittedRegression(request.fit, needsCovariance: request.test.covariance != .none, on: tiles)
            var body = Answer()
            try append(fit, request.test, to: &body, on: tiles)
            body.append("diagnostics", json: DiagnosticsJSON.text(fit.regression.diagnostics, fit.calibration))
            return body
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    /// The members of a prediction: `mean` for regression; `labels`, `classes`, `scores` and, where they are calibrated, `probabilities` in
    /// classification; and the covariance that was asked for.
    static func append(_ fit: FittedRegression, _ request: TestRequest, to body: inout Answer, on tiles: any TileExecutor) throws {
        let testTrain = try request.test.testTrain(fit.training.kind, fit.regression.groups, on: tiles)
        let mean = try fit.mean(request.test, testTrain, on: tiles)
        switch fit.targets {
        case .values(_, let isVector):
            if isVector {
                body.append("mean", mean.elements)
            } else {
                body.append("mean", mean)
            }
        case .classes(let classes):
            body.append("labels", json: ClassTargets.text(classes.predict(mean)))
            body.append("classes", json: ClassTargets.text(classes.classes))
            body.append("scores", mean)
            if let calibration = fit.calibration { body.append("probabilities", calibration.probabilities(mean)) }
        }
        switch request.covariance {
        case .none: break
        case .diagonal:
            let variance = try fit.variance(request.test, testTrain, on: tiles)
            guard variance.allSatisfy(\.isFinite) else { throw RegressionError.overflow }
            if fit.training.outputs == nil || fit.isVector {
                body.append("variance", variance)
            } else {
                body.append("variance", fit.training.outputs(Matrix(rows: variance.count, columns: 1, variance)))
            }
        case .full:
            let covariance = try fit.covariance(request.test, testTrain, on: tiles)
            guard covariance.isFinite else { throw RegressionError.overflow }
            body.append("covariance", covariance)
        }
    }
}
