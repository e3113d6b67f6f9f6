internal import LearningCurves
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let learningCurves = computing("/v1/learning-curves") { service, _, _ in
        let networks = service.networks
        return Computation({ value throws(ProblemDetails) in try LearningCurveRequest(value, networks) }, answer: LearningCurveEndpoint.answer)
    }
}

/// Predicts test errors and words the answer.
enum LearningCurveEndpoint {
    static func answer(_ request: LearningCurveRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            switch request.source {
            case .sample(let points, let targets): return try sample(request, points, targets, tiles)
            case .given(var spectrum):
                spectrum.unlearnable += request.noise
                return try theory(request, spectrum, tiles)
            case .hermite(let source): return try hermite(request, source, tiles)
            }
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x", "x"))
        } catch is NotPositiveDefinite {
            throw ProblemDetails.invalid("/ridge", "a ridge with which K + ridge·I is positive definite to working precision expected")
        }
    }

    /// From a spectrum alone.
    private static func theory(
        _ request: LearningCurveRequest, _ spectrum: ModeSpectrum, _ tiles: any TileExecutor, effectiveDimension: Double? = nil
    ) throws -> Answer {
        func expected(_ n: Double) throws -> (ridge: Double, error: ExpectedError) {
            try tiles.forEach(0) { _ in }
            switch request.ridge {
            case .fixed(let ridge): return (ridge, ExpectedError(spectrum, samples: n, ridge: ridge, features: request.features))
            case .optimal: return spectrum.bestRidge(samples: n, features: request.features)
            }
        }
        var rows: [CurveRow] = []
        for n in request.sampleSizes {
            let (ridge, error) = try expected(n)
            rows.append(CurveRow(samples: n, error: error.testError, theory: error, ridge: ridge, isExtrapolated: false))
        }
        var body = Answer()
        body.append("curve") { CurveRow.write(rows, to: &$0) }
        if let target = request.targetError {
            let required = try requiredSamples(target: target) { try expected($0).error.testError }
            body.append("required_samples", nullable: required)
        }
        if let effectiveDimension { body.append("effective_dimension", nullable: effectiveDimension) }
        return body
    }

    private static func hermite(_ request: LearningCurveRequest, _ source: HermiteSource, _ tiles: any TileExecutor) throws -> Answer {
        let learning: HermiteLearning
        switch source.data {
        case .given(let variances, let targets):
            learning = try HermiteLearning(
                source.kernel, kind: source.kind, variances: variances, targets: targets, modes: source.modes, unlearnable: request.noise)
        case .sample(let x, let targets):
            learning = try HermiteLearning(source.kernel, kind: source.kind, x: x, y: targets.matrix, modes: source.modes, on: tiles)
        }
        var body = try theory(request, learning.spectrum, tiles, effectiveDimension: learning.effectiveDimension)
        let spectrum = learning.spectrum
        let whole = spectrum.eigenvalues.reduce(spectrum.tail, +)
        body.append("untreated_share", nullable: whole > 0 ? spectrum.tail / whole : 0)
        body.append("modes") { json in
            json.beginArray()
            for index in learning.modes.indices.prefix(100) {
                json.beginObject()
                json.key("components")
                json.beginArray()
                for component in learning.modes[index].components { json.value(component) }
                json.endArray()
                json.number("eigenvalue", learning.modes[index].eigenvalue)
                json.number("power", spectrum.powers[index])
                json.endObject()
            }
            json.endArray()
        }
        return body
    }

    /// From a sample: leave-one-out errors continued by a power of n, and beside them what the spectrum says of fewer points.
    private static func sample(
        _ request: LearningCurveRequest, _ points: any TrainingKernel, _ targets: Targets, _ tiles: any TileExecutor
    ) throws -> Answer {
        let kernel = try points.trainTrain(points.kind, DuplicateGroups(distinct: points.order), on: tiles)
        let y = points.rows(targets.matrix)
        let own = try KernelSpectrum(inPlace: kernel.copy(), rounding: points.entryRounding, on: tiles)
        let coefficients = try own.targets(y, on: tiles).coefficients
        let squares = (0..<coefficients.rows).map { coefficients.row($0).reduce(0) { $0 + $1 * $1 } }
        let spectrum = ModeSpectrum(sampleEigenvalues: own.eigenvalues, coefficients: squares, outputs: y.columns)
        let ridge: Double
        switch request.ridge {
        case .fixed(let value): ridge = value
        case .optimal: ridge = try LeaveOneOutSizes.bestRidge(kernel: kernel, targets: y, on: tiles)
        }
        let measured = try LeaveOneOutSizes(kernel: kernel, targets: y, ridge: ridge, seed: request.seed, on: tiles)
        guard measured.measurements.allSatisfy({ $0.error.isFinite && $0.standardError.isFinite }) else { throw RegressionError.overflow }
        guard let law = PowerLaw(measured.measurements) else {
            throw ProblemDetails.invalid("/y", "targets that leave an error at some points expected: every leave-one-out error is 0")
        }
        /// How much worse a finite number of features makes it.
        func ratio(_ n: Double) -> Double {
            guard let features = request.features else { return 1 }
            let (finite, whole) = (
                ExpectedError(spectrum, samples: n, ridge: ridge, features: features).testError,
                ExpectedError(spectrum, samples: n, ridge: ridge).testError
            )
            guard let finite, let whole, whole > 0 else { return .infinity }
            return finite / whole
        }
        let range = Double(points.order)
        let rows = request.sampleSizes.map { n in
            let (error, factor) = (law.error(n) * ratio(n) + request.noise, law.factor(n))
            return CurveRow(
                samples: n, error: error, interval: (error / factor, error * factor),
                theory: ExpectedError(spectrum, samples: n, ridge: ridge, features: request.features), spectrumError: n <= range / 4,
                ridge: ridge, isExtrapolated: n > range)
        }
        var body = Answer()
        body.append("curve") { CurveRow.write(rows, to: &$0) }
        try body.append("measured") { json throws(NotFiniteError) in
            json.beginArray()
            for one in measured.measurements {
                json.beginObject()
                json.member("samples", one.samples)
                try json.member("error", one.error)
                try json.member("standard_error", one.standardError)
                json.endObject()
            }
            json.endArray()
        }
        if let target = request.targetError {
            let required = law.exponent > 0 ? requiredSamples(target: target) { law.error($0) * ratio($0) + request.noise } : nil
            body.append("required_samples", nullable: required)
        }
        body.append("exponent", nullable: law.exponent)
        body.append("effective_dimension", nullable: own.participationRatio)
        return body
    }
}

/// One size of a training set in an answer.
struct CurveRow {
    var samples: Double
    var error: Double?
    var interval: (low: Double, high: Double)?
    var theory: ExpectedError
    /// Whether the spectrum's own prediction stands beside the error.
    var spectrumError = false
    var ridge: Double
    var isExtrapolated: Bool

    static func write(_ rows: [CurveRow], to json: inout JSONWriter) {
        json.beginArray()
        for row in rows {
            json.beginObject()
            json.number("samples", row.samples)
            json.number("test_error", row.error)
            json.number("low", row.interval?.low)
            json.number("high", row.interval?.high)
            json.number("ridge", row.ridge)
            json.number("kappa", row.theory.kappa)
            json.number("learned_modes", row.theory.learnedModes)
            if row.spectrumError { json.number("spectrum_error", row.theory.testError) }
            json.key("extrapolated")
            json.value(row.isExtrapolated)
            json.endObject()
        }
        json.endArray()
    }
}
