internal import ArtifactStore
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// A fit that is kept.
///
/// By reference: each request has one, and a copy of all that is in it would count dozens of references that all threads share.
final class Regressor: Sendable {
    let id: ArtifactID
    let fit: FittedRegression
    let settings: FitSettings
    /// What `GET` answers: `{"id", "created_at", "n_train", …, "diagnostics"}`.
    let description: String

    init(id: ArtifactID, fit: FittedRegression, settings: FitSettings, description: String) {
        self.id = id
        self.fit = fit
        self.settings = settings
        self.description = description
    }

    /// Bytes that it takes in memory, its points prepared for kernels included.
    var bytes: Int {
        let numbers = Count(fit.training.numbersPerPoint) * 2 + Count(fit.targets.matrix.columns) * 2 + 8
        return (Count(fit.training.count) * numbers * 8 + Count(fit.training.keptBytes)).value
    }

    /// Bytes of a factor.
    var factorBytes: Int { fit.regression.groups.groupCount.squaredClamped.multipliedClamped(by: 8) }

    /// The fit that has the factor: with the ridge that was used, and without diagnostics.
    var factoring: FitRequest { factoring(.fast) }

    func factoring(_ completeness: FitSettings.Completeness) -> FitRequest {
        var own = settings
        own.ridge = .fixed(fit.regression.diagnostics.ridge)
        own.ridgeScale = .absolute
        own.completeness = completeness
        return FitRequest(training: fit.training, targets: fit.targets, settings: own, posterior: fit.posterior)
    }

    /// The same fit with its factor, for covariances: fitted again, which gives the same numbers every time.
    func factored(on tiles: any TileExecutor) throws -> FittedRegression {
        guard fit.regression.diagnostics.method != .conjugateGradient else {
            throw ProblemDetails.invalid("/covariance", "none expected: this regressor was fitted by conjugate gradients, and has no factor")
        }
        let again = try FittedRegression(factoring, needsCovariance: true, on: tiles)
        return FittedRegression(
            training: fit.training, targets: fit.targets, posterior: fit.posterior, regression: again.regression, calibration: fit.calibration)
    }
}

/// `POST /v1/regressors`, validated.
struct RegressorRequest: ComputeTask {
    var fit: FitRequest
    var id: ArtifactID

    init(_ value: JSONValue, _ networks: NetworkStore, memoryBytes: Int) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        fit = try FitRequest(&reader, networks, memoryBytes: memoryBytes)
        try reader.finish(orNull: ["x_train", "pattern_train"])
        id = Self.id(fit)
    }

    /// A disk is written: never so little that it would be done on an event loop.
    var work: Work {
        fit.work(needsCovariance: false) + Work(.calls, 2_000).onOneThread + Work.pass(fit.training.count, fit.training.numbersPerPoint) * 8
    }
    var peakBytes: Int { fit.peakBytes }
    var tableBytes: Int { fit.training.tableBytes }
    func workingBytes(threads: Int) -> Int { fit.training.workingBytes(with: 0, threads: threads) }

    /// SHA-256 over everything that the fit depends on, defaults included.
    private static func id(_ fit: FitRequest) -> ArtifactID {
        var hash = ContentHash()
        hash.update("ntk-server regressor \(RegressorFile.version)")
        let record = fit.training.record
        for member in record.members {
            hash.update(member.name)
            hash.update(member.json)
        }
        hash.update(fit.settings.canonicalText)
        hash.update(fit.posterior.rawValue)
        var targets = ("y_train", fit.targets.matrix)
        switch fit.targets {
        case .values(_, let isVector): hash.update(isVector ? "vector" : "matrix")
        case .classes(let classes):
            hash.update(ClassTargets.text(classes.classes))
            targets = ("classes", classes.indexMatrix)
        }
        for (name, shape, values) in record.tensors + [(targets.0, [targets.1.rows, targets.1.columns], targets.1)] {
            hash.update("\(name) \(shape)")
            values.withElements { unsafe hash.update($0.bytes) }
        }
        if let model = record.model {
            unsafe model.bytes.withUnsafeBytes { bytes in unsafe hash.update(UnsafeRawBufferPointer(rebasing: bytes[model.range]).bytes) }
        }
        return hash.finish()
    }
}

/// `POST /v1/regressors/{id}/predictions`, validated.
struct RegressorPredictionRequest: ComputeTask {
    var regressor: Regressor
    var test: TestRequest
    let work: Work
    let peakBytes: Int

    /// - Parameter isFactored: whether the factor is in memory, so that it does not have to be made.
    init(_ value: JSONValue, _ regressor: Regressor, isFactored: Bool) throws(ProblemDetails) {
        self.regressor = regressor
        var reader = try ObjectReader(value, at: "")
        test = try TestRequest(&reader, regressor.fit.training, .alone)
        try reader.finish(orNull: ["x", "pattern", "test_train", "test_test", "nngp"])
        let fit = FitRequest(
            training: regressor.fit.training, targets: regressor.fit.targets, settings: regressor.settings, posterior: regressor.fit.posterior)
        let needsFit = test.covariance != .none && !isFactored
        work = test.work(fit) + (needsFit ? regressor.factoring.work(needsCovariance: true) : .none)
        peakBytes = test.peakBytes(fit).addingClamped(test.covariance == .none ? 0 : fit.peakBytes)
    }

    var answersOneArray: Bool { test.answersOneArray(regressor.fit.targets) }

    func workingBytes(threads: Int) -> Int { regressor.fit.training.workingBytes(with: test.test.count, threads: threads) }

    /// Rows of one regressor go together where a row's numbers do not depend on the others.
    var batch: BatchMembership? {
        let isByRow = test.covariance == .none || (test.covariance == .diagonal && regressor.fit.posterior == .gp)
        return isByRow && test.test.isJoinable ? .prediction(self) : nil
    }
}
