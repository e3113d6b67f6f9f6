internal import FiniteWidth
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let convergence = computing("/v1/convergence") { _, _, _ in Computation(ConvergenceRequest.init, answer: ConvergenceEndpoint.answer) }
}

/// `POST /v1/convergence`, validated.
struct ConvergenceRequest: ComputeTask {
    var study: ConvergenceStudy
    /// Nil for architectures whose first order in 1/width is not known.
    var theory: FiniteWidthTheory?
    var x: Matrix<Double>
    var pattern: Matrix<Double>?
    var samples: Int
    var seed: UInt64
    var precision: KernelRequest.Precision

    /// Each has a network and a kernel of its own.
    private static let mostWidths = 1_000

    init(_ value: JSONValue) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        let layer = try ArchitectureWire.layer(reader.required("architecture", "an architecture"), at: "/architecture")
        let format = try reader.choice("data_format", default: DataFormat.channelsLast)
        let points = try reader.networkPoints("x", format)
        x = points.values
        let widths = try reader.requiredIntegers("widths", in: 1...(1 << 20))
        guard (1...Self.mostWidths).contains(widths.count), Set(widths).count == widths.count else {
            throw .invalid("/widths", "1 to \(Self.mostWidths) widths, each once, expected; \(widths.count) came")
        }
        samples = try reader.optionalInteger("samples", in: 2...100_000) ?? 8
        seed = UInt64(try reader.optionalInteger("seed", in: 0...(1 << 53)) ?? 0)
        precision = try reader.choice("precision", default: .float64)
        do {
            study = try ConvergenceStudy(
                layer, inputShape: points.shape, isChannelsFirst: format == .channelsFirst, widths: widths, meter: .ofRequest())
        } catch {
            throw ProblemDetails(error, at: .pointer(""))
        }
        theory = (try? FiniteWidthTheory(layer, shape: points.shape))?.uniform
        pattern = try reader.pattern("pattern", points: x.rows, spatial: Array(points.shape.dropLast()))
        if (study.patternSize == nil) != (pattern == nil) {
            throw .invalid("/pattern", "the adjacency of each point expected where, and only where, the architecture has an aggregate layer")
        }
        if let size = study.patternSize, let pattern, pattern.columns != size.squaredClamped {
            throw .invalid("/pattern", "adjacencies of \(size) by \(size) nodes expected")
        }
        try reader.finish()
    }

    private var costs: [EmpiricalKernel.Cost] { study.costs(points: x.rows, samples: samples) }
    var work: Work {
        let sampling = costs.reduce(.none) { $0 + $1.work }
        return theory.map { sampling + $0.work(x.rows, nil) * ($0.dependsOnWidth ? study.widths.count : 1) } ?? sampling
    }
    var peakBytes: Int {
        let sampling = costs.map(\.peakBytes).max() ?? 0
        guard let theory else { return sampling }
        return sampling.addingClamped(theory.pointBytes(points: x.rows)).addingClamped(x.rows.multipliedClamped(by: x.rows * 48))
    }
    var tableBytes: Int { study.tableBytes }

    func workingBytes(threads: Int) -> Int {
        study.workingBytes(points: x.rows, threads: threads, elementBytes: precision == .float64 ? 8 : 4)
    }
}

/// Compares finite networks with their infinite limit and words the answer.
enum ConvergenceEndpoint {
    static func answer(_ request: ConvergenceRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            let result =
                request.precision == .float64
                ? try request.study.run(
                    request.x, pattern: request.pattern, samples: request.samples, seed: request.seed, as: Double.self, on: tiles)
                : try request.study.run(
                    request.x, pattern: request.pattern, samples: request.samples, seed: request.seed, as: Float.self, on: tiles)
            var body = Answer()
            let predictions = try predictions(request, on: tiles)
            try body.append("widths") { try write(result, predictions, to: &$0) }
            body.append("rate", nullable: result.rate)
            return body
        } catch let error as NetworkError {
            throw ProblemDetails(error, at: .pointer(""))
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x", "x"))
        }
    }

    /// What the first order in 1/width says of each width; nil where it says nothing.
    private static func predictions(_ request: ConvergenceRequest, on tiles: any TileExecutor) throws -> [FiniteWidthTheory.Result?] {
        guard let theory = request.theory else { return request.study.widths.map { _ in nil } }
        do {
            guard theory.dependsOnWidth else {
                let result = try theory.run(request.x, on: tiles)
                return request.study.widths.map { _ in result }
            }
            return try request.study.widths.map { try theory.run(request.x, width: Double($0), on: tiles) }
        } catch is FiniteWidthError {
            // The samples stand alone.
            return request.study.widths.map { _ in nil }
        }
    }

    private static func write(
        _ result: ConvergenceStudy.Result, _ predictions: [FiniteWidthTheory.Result?], to json: inout JSONWriter
    ) throws(NotFiniteError) {
        json.beginArray()
        for (row, prediction) in zip(result.widths, predictions) {
            json.beginObject()
            json.member("width", row.width)
            json.key("relative_error")
            json.beginObject()
            try json.member("mean", row.error.mean)
            try json.member("standard_error", row.error.standardError)
            json.endObject()
            json.key("diagonal")
            json.beginObject()
            try json.member("mean", row.diagonal.mean)
            try json.member("standard_error", row.diagonal.standardError)
            try json.member("infinite", row.infiniteDiagonal)
            json.endObject()
            if let prediction { try write(prediction, row, to: &json) }
            json.endObject()
        }
        json.endArray()
    }

    private static func write(
        _ prediction: FiniteWidthTheory.Result, _ row: ConvergenceStudy.Row, to json: inout JSONWriter
    ) throws(NotFiniteError) {
        let n = Double(row.width)
        json.key("predicted")
        json.beginObject()
        try json.member("relative_error", prediction.ntk.relativeSpread(width: n))
        json.key("diagonal")
        json.beginObject()
        try json.member("mean", row.infiniteDiagonal + ScaledSums.mean(prediction.ntk.correction.diagonal) / n)
        try json.member("standard_deviation", (max(prediction.meanDiagonalVariance ?? 0, 0) / n).squareRoot())
        json.endObject()
        json.endObject()
    }
}
