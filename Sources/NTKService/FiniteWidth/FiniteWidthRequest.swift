internal import FiniteWidth
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/finite-width`, validated.
struct FiniteWidthRequest: ComputeTask {
    /// Of which tangent kernel the moments are.
    enum Outputs: String, CaseIterable {
        /// That of one output.
        case one
        /// The mean over the readout's outputs.
        case mean
    }

    var theory: FiniteWidthTheory
    var x1: Matrix<Double>
    var x2: Matrix<Double>?
    var kinds: [KernelKind]
    var outputs: Outputs
    var widths: [Int]
    var tolerance: Double?

    private static let mostWidths = 1_000

    init(_ value: JSONValue) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        let layer = try ArchitectureWire.layer(reader.required("architecture", "an architecture"), at: "/architecture")
        let format = try reader.choice("data_format", default: DataFormat.channelsLast)
        let first = try reader.networkPoints("x1", format)
        let second = try reader.optionalNetworkPoints("x2", format)
        kinds = try KernelRequest.kinds(reader.optional("kinds"))
        outputs = try reader.choice("outputs", default: .one)
        let widths = try reader.optionalIntegers("widths", in: 1...(1 << 30))
        tolerance = try reader.optionalNumber("tolerance")
        try reader.finish()
        if let second, second.shape != first.shape {
            throw .invalid("/x2", "points of shape \(first.shape) expected, as in x1; shape \(second.shape) came")
        }
        if let tolerance, !(tolerance > 0) { throw .invalid("/tolerance", "a relative spread above 0 expected; \(tolerance) came") }
        guard widths?.count ?? 0 <= Self.mostWidths else { throw .invalid("/widths", "at most \(Self.mostWidths) widths expected") }
        x1 = first.values
        x2 = second?.values
        do { theory = try FiniteWidthTheory(layer, shape: first.shape) } catch { throw ProblemDetails(error, at: "/architecture") }
        self.widths = widths ?? theory.width.map { [$0] } ?? []
        if theory.dependsOnWidth, theory.width == nil {
            throw .invalid(
                "/architecture",
                "widths of the hidden layers expected: in the standard parameterization the tangent kernel grows with them")
        }
    }

    /// The limits that are worked out: one, or where it depends on the width one each.
    private var passes: Int { theory.dependsOnWidth ? widths.count + 1 : 1 }

    var work: Work { theory.work(x1.rows, x2?.rows) * passes }

    /// The points, three matrices a kernel, and two a kernel and width as text.
    var peakBytes: Int {
        let (rows, columns) = (Count(x1.rows), Count(x2?.rows ?? x1.rows))
        let points = rows + Count(x2?.rows ?? 0)
        return
            (points * Count(x1.columns) * 16 + rows * columns * (Count(48) + Count(widths.count) * Count(kinds.count) * 64)
            + Count(theory.pointBytes(points: points.value))).value
    }
}
