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
    /// The points' adjacencies, where the architecture aggregates.
    var patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)?
    /// In the order of the request, which is the order of the answer.
    var kinds: [KernelKind]
    var precision: Precision
    var diagonal: Bool
    /// Masked entries: such points are copied.
    private let hasNulls: Bool

    init(_ value: JSONValue, _ kernels: KernelCache) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        let architecture = try ArchitectureWire.layer(reader.required("architecture", "an architecture"), at: "/architecture")
        let format = try reader.choice("data_format", default: DataFormat.channelsLast)
        let first = try reader.tensor("x1", format)
        let second = try reader.optionalTensor("x2", format)
        x1 = first.values
        x2 = second?.values
        hasNulls = first.hasNulls || second?.hasNulls == true
        let spatial = Array(first.shape.dropLast())
        let pattern1 = try reader.pattern("pattern1", points: x1.rows, spatial: spatial)
        let pattern2 = try reader.pattern("pattern2", points: x2?.rows ?? x1.rows, spatial: spatial)
        kinds = try Self.kinds(reader.optional("kinds"))
        precision = try reader.choice("precision", default: .float64)
        diagonal = try reader.bool("diagonal", default: false)
        try reader.finish()
        if diagonal && x2 != nil {
            throw .invalid("/x2", "x1 alone expected with diagonal: it is k(x, x) for each x of x1")
        }
        if let second, second.shape != first.shape {
            throw .invalid("/x2", "points of shape \(first.shape) expected, as in x1; shape \(second.shape) came")
        }
        kernel = try kernels.kernel(architecture, shape: first.shape, at: "/architecture")
        patterns = try Self.patterns(kernel, pattern1, pattern2, hasSecond: x2 != nil)
    }

    /// Patterns where, and only where, they are needed.
    private static func patterns(
        _ kernel: AnalyticKernel, _ first: Matrix<Double>?, _ second: Matrix<Double>?, hasSecond: Bool
    ) throws(ProblemDetails) -> (x1: Matrix<Double>, x2: Matrix<Double>?)? {
        guard let size = kernel.patternSize else {
            if first != nil || second != nil {
                throw .invalid(first != nil ? "/pattern1" : "/pattern2", "no pattern expected: the architecture has no aggregate layer")
            }
            return nil
        }
        guard let first else { throw .invalid("/pattern1", "the adjacency of each point of x1 expected, for aggregate; the field is missing") }
        if hasSecond && second == nil {
            throw .invalid("/pattern2", "the adjacency of each point of x2 expected, for aggregate; the field is missing")
        }
        if !hasSecond && second != nil { throw .invalid("/pattern2", "no pattern2 expected without x2") }
        for (field, pattern) in [("/pattern1", first), ("/pattern2", second ?? first)] where pattern.columns != size.squaredClamped {
            throw .invalid(field, "adjacencies of \(size) by \(size) nodes expected, as many as the axes that aggregate sums over have")
        }
        return (first, second)
    }

    static func kinds(_ value: JSONValue?) throws(ProblemDetails) -> [KernelKind] {
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

    var answersOneArray: Bool { kinds.count == 1 }

    var work: Work {
        diagonal ? kernel.diagonalWork(x1.rows) : kernel.work(x1.rows, x2?.rows, isFloat32: precision == .float32, kinds: kinds.count)
    }

    /// A kernel of some milliseconds runs beside others.
    var batch: BatchMembership? { work.seconds <= Self.passSeconds ? .pass : nil }

    private static let passSeconds = 0.003

    /// Bytes of the results and the points.
    var peakBytes: Int {
        let size = precision == .float64 ? 8 : 4
        let columns = x2?.rows ?? x1.rows
        let results = diagonal ? x1.rows : x1.rows.multipliedClamped(by: columns)
        let inputs = points.multipliedClamped(by: x1.columns)
        return results.multipliedClamped(by: size * kinds.count).addingClamped(inputs.multipliedClamped(by: hasNulls ? 16 : 8))
    }

    var tableBytes: Int { kernel.tableBytes }

    private var points: Int { x1.rows + (x2?.rows ?? 0) }

    func workingBytes(threads: Int) -> Int {
        precision == .float64
            ? kernel.workingBytes(points: points, inPanels: !diagonal, threads: threads, as: Double.self)
            : kernel.workingBytes(points: points, inPanels: !diagonal, threads: threads, as: Float.self)
    }
}
