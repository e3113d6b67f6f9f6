internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let posteriors = computing("/v1/posteriors") { service, _, _ in
        let networks = service.networks
        return Computation({ value throws(ProblemDetails) in try PosteriorRequest(value, networks) }, answer: PosteriorEndpoint.answer)
    }
}

/// Computes and words the answer of `POST /v1/posteriors`.
enum PosteriorEndpoint {
    static func answer(_ request: PosteriorRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            return try compute(request, tiles)
        } catch let error as LaplaceError {
            throw ProblemDetails(error)
        }
    }

    private static func compute(_ request: PosteriorRequest, _ tiles: any TileExecutor) throws -> Answer {
        let network = request.network
        let (n, k) = (network.count, network.outputs ?? 1)
        guard let outputs = try network.initialOutputs(on: tiles) else { throw LaplaceError.overflow }
        let curvature: OutputCurvature
        let likelihood: Double
        switch request.data {
        case .classes(let classes):
            curvature = .softmax(OutputCurvature.probabilities(outputs))
            likelihood = OutputCurvature.logLikelihood(outputs, classes: classes)
        case .values(let targets, let noise):
            curvature = .gaussian(points: n, outputs: k, noise: noise)
            likelihood = OutputCurvature.logLikelihood(targets.subtracting(outputs), noise: noise)
        }
        let squaredNorm = try network.squaredNorm(on: tiles)
        let mean = try request.test.map { try $0.initialOutputs(on: tiles) ?? Matrix(zeroRows: $0.count, columns: k) }
        var body = Answer()
        if let rank = request.rank {
            let posterior = try LowRankLaplace(
                diagonal: network.priorBlocks(nil, on: tiles), curvature, logLikelihood: likelihood, squaredNorm: squaredNorm,
                precision: request.precision, most: rank, on: tiles
            ) { points in try network.kernel(nil, Array(0..<n), .some(points), on: tiles) }
            if let test = request.test, let mean {
                let covariances = try posterior.covariances(blocks: network.priorBlocks(test, on: tiles), on: tiles) { points in
                    try network.kernel(test, Array(0..<test.count), .some(points), on: tiles)
                }
                try append(request, mean, covariances, to: &body, tiles)
            }
            body.append("prior_precision", nullable: posterior.priorPrecision)
            body.append("log_marginal_likelihood", nullable: posterior.logMarginalLikelihood)
            body.append("log_likelihood", nullable: likelihood)
            body.append("effective_parameters", nullable: posterior.effectiveParameters)
            body.append("rank", posterior.rank)
            body.append("trace_gap", nullable: posterior.traceGap)
            body.append("log_marginal_likelihood_error", nullable: posterior.logMarginalLikelihoodError)
            return body
        }
        let distinct = DuplicateGroups(distinct: network.order)
        let posterior = try LaplacePosterior(
            inPlace: network.trainTrain(.ntk, distinct, on: tiles), curvature, logLikelihood: likelihood, squaredNorm: squaredNorm,
            precision: request.precision, on: tiles)
        if let test = request.test, let mean {
            let covariances = try posterior.covariances(
                inPlace: test.testTrain(.ntk, distinct, on: tiles), blocks: network.priorBlocks(test, on: tiles), on: tiles)
            try append(request, mean, covariances, to: &body, tiles)
        }
        body.append("prior_precision", nullable: posterior.priorPrecision)
        body.append("log_marginal_likelihood", nullable: posterior.logMarginalLikelihood)
        body.append("log_likelihood", nullable: likelihood)
        body.append("effective_parameters", nullable: posterior.effectiveParameters)
        return body
    }

    private static func append(
        _ request: PosteriorRequest, _ mean: Matrix<Double>, _ covariances: Matrix<Double>, to body: inout Answer, _ tiles: any TileExecutor
    ) throws {
        let k = mean.columns
        body.append("mean", mean)
        body.append("covariance", covariances, rowShape: [k, k])
        switch request.data {
        case .classes:
            let probabilities =
                switch request.link {
                case .probit: Predictive.probit(mean, covariances: covariances)
                case .samples:
                    try Predictive.sampled(mean, covariances: covariances, count: request.samples, seed: request.seed, on: tiles)
                }
            body.append("probabilities", probabilities)
            guard let classes = request.testLabels, !classes.isEmpty else { return }
            body.append("calibration") { json in
                json.beginObject()
                write("network", CalibrationFigures(OutputCurvature.probabilities(mean), classes: classes), to: &json)
                write("posterior", CalibrationFigures(probabilities, classes: classes), to: &json)
                json.endObject()
            }
        case .values(_, let noise):
            guard let targets = request.testTargets, !targets.elements.isEmpty else { return }
            var (loss, error) = (0.0, 0.0)
            for row in 0..<mean.rows {
                for output in 0..<k {
                    let (variance, residual) = (covariances[row, output * (k + 1)] + noise, targets[row, output] - mean[row, output])
                    loss -= OutputCurvature.logLikelihood(Matrix(rows: 1, columns: 1, [residual]), noise: variance)
                    error += residual * residual
                }
            }
            let count = Double(mean.rows * k)
            body.append("calibration") { json in
                json.beginObject()
                json.number("log_loss", loss / count)
                json.number("mean_squared_error", error / count)
                json.endObject()
            }
        }
    }

    private static func write(_ name: String, _ figures: CalibrationFigures, to json: inout JSONWriter) {
        json.key(name)
        json.beginObject()
        json.number("accuracy", figures.accuracy)
        json.number("log_loss", figures.logLoss)
        json.number("brier_score", figures.brierScore)
        json.number("expected_calibration_error", figures.expectedCalibrationError)
        json.endObject()
    }
}

extension ProblemDetails {
    init(_ error: LaplaceError) {
        switch error {
        case .overflow:
            self = .invalid("/network", "outputs and derivatives whose posterior is within the range of float64 expected; it overflows")
        case .singular(let precision):
            self = .invalid(
                "/prior_precision",
                "a prior precision expected with which the posterior is positive definite to working precision; with \(precision) it is not")
        case .noBestPrecision:
            self = .invalid(
                "/prior_precision",
                "a number expected: all weights, or all derivatives, are 0, so that no precision has the largest marginal likelihood")
        }
    }
}
