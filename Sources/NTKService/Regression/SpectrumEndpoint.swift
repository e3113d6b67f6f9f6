internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Computes and words the answer of `POST /v1/spectra`.
enum SpectrumEndpoint {
    static func answer(_ request: SpectrumRequest, tiles: any TileExecutor) throws -> JSONBody {
        do {
            let points = request.points
            let kernel = try points.trainTrain(points.kind, DuplicateGroups(distinct: points.order), on: tiles)
            let spectrum = try KernelSpectrum(inPlace: kernel, on: tiles)
            var json = JSONWriter()
            json.beginObject()
            json.numbers("eigenvalues", spectrum.eigenvalues)
            json.member("rank", spectrum.rank)
            json.number("condition_number", spectrum.conditionNumber)
            json.number("trace", spectrum.trace)
            json.number("effective_dimension", spectrum.effectiveDimension(ridge: request.ridge))
            json.number("participation_ratio", spectrum.participationRatio)
            json.numbers(
                "half_lives",
                spectrum.halfLives(outputs: request.targets.map { points.rows($0.matrix).columns } ?? 1, learningRate: request.learningRate))
            if let targets = request.targets { try write(targets, spectrum, request, to: &json, tiles) }
            json.endObject()
            var body = JSONBody()
            body.append(String(decoding: json.bytes, as: UTF8.self))
            return body
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    private static func write(
        _ targets: Targets, _ spectrum: KernelSpectrum, _ request: SpectrumRequest, to json: inout JSONWriter, _ tiles: any TileExecutor
    ) throws {
        let own = try spectrum.targets(request.points.rows(targets.matrix), on: tiles)
        guard own.coefficients.isFinite else { throw RegressionError.overflow }
        json.key("coefficients")
        json.beginArray()
        if case .values(_, isVector: true) = targets {
            try own.coefficients.withElements { try json.values($0) }
        } else {
            try own.coefficients.withElements { try json.rows($0, columns: own.coefficients.columns) }
        }
        json.endArray()
        json.number("rkhs_norm", own.rkhsNorm)
        json.number("generalization_bound", own.generalizationBound)
        json.number("alignment", own.alignment)
        json.number("unreachable_targets", own.unreachable)
        let n = Double(spectrum.count)
        json.key("eigenlearning")
        json.beginArray()
        for size in request.sampleSizes {
            let theory = Eigenlearning(
                eigenvalues: spectrum.eigenvalues.prefix(spectrum.rank).map { $0 / n }
                    + [Double](repeating: 0, count: spectrum.count - spectrum.rank),
                powers: own.powers.map { $0 / n / Double(own.coefficients.columns) }, samples: size, ridge: request.ridge, noise: request.noise)
            json.beginObject()
            json.number("samples", size)
            json.number("kappa", theory.constant)
            json.number("overfitting_coefficient", theory.overfitting)
            json.number("test_error", theory.testError)
            json.number("train_error", theory.trainError)
            json.numbers("learnability", theory.learnability)
            json.endObject()
        }
        json.endArray()
    }
}
