internal import LinearAlgebra
internal import NTK

extension Operation {
    static let predictions = computing("/v1/predictions") { service, _, _ in
        let (networks, memoryBytes) = (service.networks, service.limits.memoryBytes)
        return Computation(
            { value throws(ProblemDetails) in try PredictionRequest(value, networks, memoryBytes: memoryBytes) }, answer: PredictionEndpoint.answer)
    }
}

/// Fits, predicts, and words the answer of `POST /v1/predictions`.
enum PredictionEndpoint {
    static func answer(_ request: PredictionRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            let fit = try FittedRegression(request.fit, needsCovariance: request.test.covariance != .none, on: tiles)
            var body = Answer()
            append(fit, try values(fit, request.test.test, request.test.covariance, on: tiles), to: &body)
            body.append("diagnostics", json: DiagnosticsJSON.text(fit.regression.diagnostics, fit.calibration))
            return body
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    /// The numbers of a prediction.
    struct Values {
        var mean: Matrix<Double>
        var variance: [Double]?
        var covariance: Matrix<Double>?

        /// Those of some of the points, where a point is a row; not of a whole covariance.
        func rows(_ range: Range<Int>) -> Values {
            Values(mean: mean.rows(Array(range)), variance: variance.map { Array($0[range]) })
        }
    }

    static func values(
        _ fit: FittedRegression, _ test: any TestKernel, _ covariance: Covariance, on tiles: any TileExecutor
    ) throws -> Values {
        let testTrain = try test.testTrain(fit.training.kind, fit.regression.groups, on: tiles)
        var values = Values(mean: try fit.mean(test, testTrain, on: tiles))
        switch covariance {
        case .none: break
        case .diagonal:
            let variance = try fit.variance(test, testTrain, on: tiles)
            guard variance.allSatisfy(\.isFinite) else { throw RegressionError.overflow }
            values.variance = variance
        case .full:
            let covariance = try fit.covariance(test, testTrain, on: tiles)
            guard covariance.isFinite else { throw RegressionError.overflow }
            values.covariance = covariance
        }
        return values
    }

    /// The members of a prediction: `mean` for regression; `labels`, `classes`, `scores` and, where they are calibrated, `probabilities` in
    /// classification; and the covariance that was asked for.
    static func append(_ fit: FittedRegression, _ values: Values, to body: inout Answer) {
        let mean = values.mean
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
        if let variance = values.variance {
            if fit.training.outputs == nil || fit.isVector {
                body.append("variance", variance)
            } else {
                body.append("variance", fit.training.outputs(Matrix(rows: variance.count, columns: 1, variance)))
            }
        }
        if let covariance = values.covariance { body.append("covariance", covariance) }
    }
}
