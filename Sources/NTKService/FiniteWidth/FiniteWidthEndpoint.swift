internal import FiniteWidth
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let finiteWidth = computing("/v1/finite-width") { _, _, _ in Computation(FiniteWidthRequest.init, answer: FiniteWidthEndpoint.answer) }
}

/// Works out the first order in 1/width and words the answer.
enum FiniteWidthEndpoint {
    static func answer(_ request: FiniteWidthRequest, tiles: any TileExecutor) throws -> Answer {
        let theory = request.theory
        let result = try compute(request, width: theory.width ?? 1, tiles)
        var body = Answer()
        for kind in request.kinds {
            let moments = result[kind]
            body.append(kind.rawValue, moments.limit)
            body.append("\(kind.rawValue)_correction", moments.correction)
            body.append("\(kind.rawValue)_variance", moments.variance)
        }
        body.append("excess_kurtosis", result.excessKurtosis)
        body.append("width", theory.width)
        try body.append("widths") { json in
            json.beginArray()
            for width in request.widths {
                let here = theory.dependsOnWidth ? try compute(request, width: width, tiles) : result
                try write(here, request.kinds, width: width, to: &json)
            }
            json.endArray()
        }
        if let tolerance = request.tolerance {
            let required = request.kinds.map { result[$0].requiredWidth(tolerance: tolerance) }
            body.append("required_width", required.contains(nil) ? nil : required.compactMap { $0 }.max().map { Int($0) })
        }
        body.append("error_estimate", nullable: result.errorEstimate)
        return body
    }

    private static func compute(_ request: FiniteWidthRequest, width: Int, _ tiles: any TileExecutor) throws -> FiniteWidthTheory.Result {
        do {
            return try request.theory.run(request.x1, request.x2, width: Double(width), averagesOutputs: request.outputs == .mean, on: tiles)
        } catch let error as FiniteWidthError {
            throw ProblemDetails(error)
        }
    }

    /// Mean and standard deviation at one width to the first order.
    private static func write(
        _ result: FiniteWidthTheory.Result, _ kinds: [KernelKind], width: Int, to json: inout JSONWriter
    ) throws(NotFiniteError) {
        let n = Double(width)
        json.beginObject()
        json.member("width", width)
        for kind in kinds {
            let moments = result[kind]
            json.key(kind.rawValue)
            json.beginObject()
            try write("mean", moments.limit.combining(moments.correction) { $0 + $1 / n }, to: &json)
            let deviation = moments.variance.combining(moments.variance) { variance, _ in (max(variance, 0) / n).squareRoot() }
            try write("standard_deviation", deviation, to: &json)
            try json.member("relative_spread", moments.relativeSpread(width: n))
            json.endObject()
        }
        json.endObject()
    }

    private static func write(_ name: String, _ matrix: Matrix<Double>, to json: inout JSONWriter) throws(NotFiniteError) {
        json.key(name)
        json.beginArray()
        try matrix.withElements { elements throws(NotFiniteError) in try json.rows(elements, columns: matrix.columns) }
        json.endArray()
    }
}

extension FiniteWidthTheory.Result {
    fileprivate subscript(kind: KernelKind) -> FiniteWidthTheory.Moments {
        switch kind {
        case .ntk: ntk
        case .nngp: nngp
        }
    }
}

extension ProblemDetails {
    /// Why a network has no first order in 1/width.
    init(_ error: FiniteWidthError) {
        switch error {
        case .overflow:
            self = .invalid("/x1", "kernels and corrections within the range of float64 expected; one overflows: scale the inputs")
        case .noMoments(let path):
            self = .invalid(
                "/architecture\(path)",
                "an activation after this layer whose fourth powers have an average over the layer's Gaussian expected; it grows too fast")
        }
    }
}
