internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let spectra = computing("/v1/spectra") { service, _, _ in
        let networks = service.networks
        return Computation({ value throws(ProblemDetails) in try SpectrumRequest(value, networks) }, answer: SpectrumEndpoint.answer)
    }
}

/// Computes and words the answer of `POST /v1/spectra`.
enum SpectrumEndpoint {
    static func answer(_ request: SpectrumRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            let points = request.points
            let kernel = try points.trainTrain(points.kind, DuplicateGroups(distinct: points.order), on: tiles)
            let spectrum = try KernelSpectrum(inPlace: kernel, rounding: points.entryRounding, on: tiles)
            var body = Answer()
            body.append("eigenvalues", nullable: spectrum.eigenvalues)
            body.append("rank", spectrum.rank)
            body.append("condition_number", nullable: spectrum.conditionNumber)
            body.append("trace", nullable: spectrum.trace)
            body.append("effective_dimension", nullable: spectrum.effectiveDimension(ridge: request.ridge))
            body.append("participation_ratio", nullable: spectrum.participationRatio)
            body.append(
                "half_lives",
                nullable: spectrum.halfLives(outputs: request.targets.map { points.rows($0.matrix).columns } ?? 1, learningRate: request.learningRate)
            )
            if let targets = request.targets { try write(targets, spectrum, request, to: &body, tiles) }
            return body
        } catch let error as RegressionError {
            throw ProblemDetails(error)
        }
    }

    private static func write(
        _ targets: Targets, _ spectrum: KernelSpectrum, _ request: SpectrumRequest, to body: inout Answer, _ tiles: any TileExecutor
    ) throws {
        let projection = try spectrum.targets(request.points.rows(targets.matrix), on: tiles)
        guard projection.coefficients.isFinite else { throw RegressionError.overflow }
        if case .values(_, isVector: true) = targets {
            body.append("coefficients", projection.coefficients.elements)
        } else {
            body.append("coefficients", projection.coefficients)
        }
        body.append("rkhs_norm", nullable: projection.rkhsNorm)
        body.append("generalization_bound", nullable: projection.generalizationBound)
        body.append("alignment", nullable: projection.alignment)
        body.append("unreachable_targets", nullable: projection.unreachable)
        var json = JSONWriter()
        let n = Double(spectrum.count)
        let each = (n * Double(projection.coefficients.columns)).squareRoot()
        let roots = projection.roots.map { $0 / each }
        json.beginArray()
        for size in request.sampleSizes {
            try tiles.forEach(0) { _ in }
            let theory = try Eigenlearning(
                eigenvalues: spectrum.eigenvalues.prefix(spectrum.rank).map { $0 / n }
                    + [Double](repeating: 0, count: spectrum.count - spectrum.rank),
                coefficients: roots, unit: projection.unit, samples: size, ridge: request.ridge, noise: request.noise)
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
        body.append("eigenlearning", .json(json.bytes))
    }
}
