internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let attributions = computing("/v1/attributions") { service, _, _ in
        let (networks, regressors, memoryBytes) = (service.networks, service.regressors, service.limits.memoryBytes)
        return Computation(
            { value throws(ProblemDetails) -> AttributionTask in
                var reader = try ObjectReader(value, at: "")
                if reader.optional("networks") != nil { return .classifier(try ClassifierAttributionRequest(reader, networks)) }
                return .regression(try AttributionRequest(reader, networks, regressors, memoryBytes: memoryBytes))
            },
            answer: { task, tiles in
                switch task {
                case .regression(let request): try AttributionEndpoint.answer(request, regressors, tiles: tiles)
                case .classifier(let request): try ClassifierAttributionEndpoint.answer(request, tiles: tiles)
                }
            })
    }
}

extension FittedRegression {
    /// What the points do to the fit.
    func attribution(on tiles: any TileExecutor) throws -> RegressionAttribution {
        let initial = try training.initialOutputs(on: tiles)
        return try RegressionAttribution(
            regression, targets: initial.map { targets.matrix.subtracting($0) } ?? targets.matrix, areOutputsApart: training.outputs != nil,
            on: tiles)
    }
}

/// Computes and words the answer of `POST /v1/attributions` of a regression.
enum AttributionEndpoint {
    static func answer(_ request: AttributionRequest, _ regressors: RegressorEndpoints?, tiles: any TileExecutor) throws -> Answer {
        do {
            let fit: FittedRegression
            let attribution: RegressionAttribution
            if let regressor = request.regressor, let regressors {
                fit = regressor.fit
                attribution = try regressors.library.attribution(regressor, on: tiles)
            } else {
                fit = try FittedRegression(request.fit, needsCovariance: true, on: tiles)
                attribution = try fit.attribution(on: tiles)
            }
            var body = Answer()
            if let test = request.test { try append(request, attribution, fit, test, to: &body, tiles) }
            try append(attribution, fit.targets, to: &body)
            body.append("diagnostics", json: DiagnosticsJSON.text(attribution.regression.diagnostics, fit.calibration))
            return body
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    /// What is said of each point.
    private static func append(_ attribution: RegressionAttribution, _ targets: Targets, to body: inout Answer) throws {
        guard attribution.selfInfluence.isFinite else { throw RegressionError.overflow }
        switch targets {
        case .values(_, let isVector):
            if isVector {
                body.append("self_influence", attribution.selfInfluence.elements)
            } else {
                body.append("self_influence", attribution.selfInfluence)
            }
            body.append("leverage", attribution.leverages)
            body.append("mislabel_log_probability", nullable: attribution.logPredictive)
        case .classes(let classes):
            body.append("self_influence", attribution.selfInfluence)
            body.append("leverage", attribution.leverages)
            body.append(
                "mislabel_log_probability",
                nullable: attribution.logLabelProbabilities(codes: classes.matrix, classes: classes.indices))
        }
    }

    private static func append(
        _ request: AttributionRequest, _ attribution: RegressionAttribution, _ fit: FittedRegression, _ test: any TestKernel,
        to body: inout Answer, _ tiles: any TileExecutor
    ) throws {
        let testTrain = try test.testTrain(fit.training.kind, attribution.regression.groups, on: tiles)
        PredictionEndpoint.append(fit, PredictionEndpoint.Values(mean: try fit.mean(test, testTrain, on: tiles)), to: &body)
        let map = try attribution.regression.map(testTrain, on: tiles)
        guard map.isFinite else { throw RegressionError.overflow }
        let (n, k) = (attribution.count, attribution.outputs)
        let each = fit.isVector ? [] : [k]
        switch request.kind {
        case .own: break
        case .group:
            var influences: [Matrix<Double>] = []
            for group in request.groups {
                let removal = try attribution.removal(of: group.points, on: tiles)
                influences.append(try attribution.influence(removal, map, on: tiles))
            }
            // [groups, t, k] to [t, groups, k].
            let rows = (0..<test.count).flatMap { test in influences.flatMap { $0.row(test) } }
            body.append("groups") { json in
                json.beginArray()
                for group in request.groups { json.value(group.name) }
                json.endArray()
            }
            try appendFinite(
                "influence", Matrix(rows: test.count, columns: influences.count * k, rows), rowShape: [influences.count] + each, to: &body)
        case .leaveOneOut, .weights:
            let effect: RegressionAttribution.Effect = request.kind == .weights ? .contribution : .removal
            guard let top = request.top else {
                try appendFinite("influence", attribution.influence(effect, map, on: tiles), rowShape: [n] + each, to: &body)
                if request.kind == .weights {
                    let rows = attribution.rowsPerPoint
                    try appendFinite(
                        "weights", attribution.weights(map, on: tiles), rowShape: rows == 1 ? [n] : [rows, n, rows], to: &body)
                }
                return
            }
            let largest = try attribution.largest(effect, map, top: top, on: tiles)
            body.append("indices") { json in
                json.beginArray()
                for points in largest.points { json.list(points) }
                json.endArray()
            }
            try appendFinite("influence", largest.values, rowShape: [largest.values.columns / k] + each, to: &body)
        }
    }

    private static func appendFinite(_ name: String, _ matrix: Matrix<Double>, rowShape: [Int], to body: inout Answer) throws {
        guard matrix.isFinite else { throw RegressionError.overflow }
        body.append(name, matrix, rowShape: rowShape)
    }
}
