internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/kernels`, validated.
struct KernelRequest: ComputeTask {
    enum Precision: String, CaseIterable, Sendable {
        case float64, float32
    }

    var kernel: AnalyticKernel
    var x1: Matrix<Double>
    var x2: Matrix<Double>?
    /// In the order of the request, which is the order of the answer.
    var kinds: [KernelKind]
    var precision: Precision
    var diagonal: Bool

    init(_ value: JSONValue) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        let architecture = try ArchitectureWire.layer(reader.required("architecture", "an architecture"), at: "/architecture")
        x1 = try reader.points("x1")
        x2 = try reader.optionalPoints("x2")
        kinds = try Self.kinds(reader.optional("kinds"))
        precision = try reader.choice("precision", default: .float64)
        diagonal = try reader.bool("diagonal", default: false)
        try reader.finish()
        if diagonal && x2 != nil {
            throw .invalid("/x2", "x1 alone expected with diagonal: it is k(x, x) for each x of x1")
        }
        if let x2, x2.columns != x1.columns {
            throw .invalid("/x2", "points of \(x1.columns) features expected, as in x1; \(x2.columns) came")
        }
        kernel = try architecture.analyticKernel(features: x1.columns, at: "/architecture")
    }

    private static func kinds(_ value: JSONValue?) throws(ProblemDetails) -> [KernelKind] {
        let pointer = "/kinds"
        guard let value else { return [.ntk] }
        guard case .array(let values) = value else { throw .invalid(pointer, "a list of \"ntk\" or \"nngp\" or both expected") }
        var kinds: [KernelKind] = []
        for (index, value) in values.enumerated() {
            let kind: KernelKind = try ObjectReader.choice(value, at: "\(pointer)/\(index)")
            guard !kinds.contains(kind) else { throw .invalid("\(pointer)/\(index)", "each kind once expected; \(kind.rawValue) came twice") }
            kinds.append(kind)
        }
        return kinds
    }

    /// Pairs, each a product of two points and some loops over layers.
    var operations: Int {
        let pairs = diagonal ? x1.rows : x1.rows.multipliedClamped(by: x2?.rows ?? x1.rows)
        return pairs.multipliedClamped(by: 2 * x1.columns + 100 * kernel.depth)
    }

    /// Bytes of the result, and of what is needed beside it.
    var peakBytes: Int {
        let size = precision == .float64 ? 8 : 4
        let columns = x2?.rows ?? x1.rows
        let results = diagonal ? x1.rows : x1.rows.multipliedClamped(by: columns)
        let inputs = x1.rows.multipliedClamped(by: x1.columns) + (x2.map { $0.rows * $0.columns } ?? 0)
        return results.multipliedClamped(by: size * kinds.count).addingClamped(inputs.multipliedClamped(by: 8 + size))
    }
}

extension Int {
    /// The product, or the largest integer where it overflows.
    func multipliedClamped(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
