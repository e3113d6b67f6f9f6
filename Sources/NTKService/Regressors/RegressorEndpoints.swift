internal import ArtifactStore
internal import HTTPTypes
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `/v1/regressors` and what is below it.
struct RegressorEndpoints: Sendable {
    let library: RegressorLibrary
    let readings = RegressorReadings()
    /// Of what is asked by the Open Inference Protocol.
    let statistics = InferStatistics()

    /// `POST /v1/regressors`.
    func create(_ request: RegressorRequest, tiles: any TileExecutor) throws -> ComputedAnswer {
        do {
            let (regressor, isNew) = try library.create(request, on: tiles)
            var answer = ComputedAnswer(Answer(object: regressor.description))
            answer.status = isNew ? .created : .ok
            answer.headerFields[.location] = "/v1/regressors/\(regressor.id)"
            return answer
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    /// `GET /v1/regressors?limit=…&after=…`.
    func list(_ asked: ListPage<ArtifactID>) throws -> String {
        let page = try library.list(after: asked.after, limit: asked.limit)
        let next = page.next.map { "\"\($0)\"" } ?? "null"
        return "{\"regressors\":[\(page.descriptions.joined(separator: ","))],\"next\":\(next)}"
    }

    /// `GET /v1/regressors/{id}`.
    func get(_ id: String) throws -> String {
        guard let identifier = ArtifactID(id), let text = try library.description(identifier) else { throw Self.notFound(id) }
        return text
    }

    /// `DELETE /v1/regressors/{id}`.
    func delete(_ id: String) throws {
        guard let identifier = ArtifactID(id), try library.delete(identifier) else { throw Self.notFound(id) }
        statistics.forget(identifier)
    }

    func find(_ id: String) throws -> Regressor {
        guard let identifier = ArtifactID(id), let regressor = try library.find(identifier) else { throw Self.notFound(id) }
        return regressor
    }

    /// Bytes that it takes to read one from the disk.
    func readingBytes(_ id: String) throws -> Int { try ArtifactID(id).map(library.readingBytes) ?? 0 }

    /// The regressor if no disk has to be read for it.
    func cached(_ id: String) -> Regressor? { ArtifactID(id).flatMap(library.cached) }

    func isFactored(_ regressor: Regressor) -> Bool { library.isFactored(regressor.id) }

    /// `POST /v1/regressors/{id}/predictions`.
    func predict(_ request: RegressorPredictionRequest, tiles: any TileExecutor) throws -> ComputedAnswer {
        let fit = try fit(request, on: tiles)
        return try Self.checked {
            Self.answer(fit, try PredictionEndpoint.values(fit, request.test.test, request.test.covariance, on: tiles))
        }
    }

    /// The same for several requests to one regressor that ask for one covariance, in the order of the requests: one kernel and one product
    /// with all their rows. None of the answers differs by a bit.
    func predict(together requests: [RegressorPredictionRequest], tiles: any TileExecutor) throws -> [ComputedAnswer] {
        guard let first = requests.first, requests.count > 1, let all = first.test.test.joined(with: requests.dropFirst().map(\.test.test)) else {
            return try requests.map { try predict($0, tiles: tiles) }
        }
        let fit = try fit(first, on: tiles)
        return try Self.checked {
            let values = try PredictionEndpoint.values(fit, all, first.test.covariance, on: tiles)
            var start = 0
            return requests.map { request in
                defer { start += request.test.test.count }
                return Self.answer(fit, values.rows(start..<start + request.test.test.count))
            }
        }
    }

    /// What a prediction needs of a fit: for covariances its factor.
    private func fit(_ request: RegressorPredictionRequest, on tiles: any TileExecutor) throws -> FittedRegression {
        try Self.checked { request.test.covariance == .none ? request.regressor.fit : try library.factored(request.regressor, on: tiles) }
    }

    private static func answer(_ fit: FittedRegression, _ values: PredictionEndpoint.Values) -> ComputedAnswer {
        var body = Answer()
        PredictionEndpoint.append(fit, values, to: &body)
        return ComputedAnswer(body)
    }

    private static func checked<Result>(_ make: () throws -> Result) throws -> Result {
        do {
            return try make()
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    private static func notFound(_ id: String) -> ProblemDetails {
        ProblemDetails(
            status: .notFound, type: .notFound, title: "There is nothing here",
            detail: "the id of a regressor expected, as POST /v1/regressors gives it; \(id.prefix(80)) came")
    }
}
