internal import ArtifactStore
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Where the Gram matrices of a training set come from: an architecture, given matrices, or whatever else knows a kernel of its points.
///
/// Regression, dynamics and regressors know no more of a kernel than this; a new source is a type of this protocol, a case in
/// `TrainingKernels.read`, and one in `TrainingKernels.restore`.
protocol TrainingKernel: Sendable {
    /// n.
    var count: Int { get }
    /// The kernel that is regressed with.
    var kind: KernelKind { get }
    /// The kernels that there are.
    var kinds: Set<KernelKind> { get }
    /// Outputs of a point, if the kernel tells them apart: its rows are then all outputs of all points, in the order point, output. nil where
    /// there is one kernel for however many outputs.
    var outputs: Int? { get }
    /// f₀ [n, k] at the training points, from which training starts; nil for 0.
    func initialOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>?
    /// `trainTrain`.
    var gramWork: Work { get }
    /// `testTrain`, `testTest` or `diagonal` of so many other points.
    func work(_ part: TestPart, points: Int) -> Work
    /// Numbers that one point has.
    var numbersPerPoint: Int { get }
    /// Bytes of the tables of its architecture.
    var tableBytes: Int { get }
    /// Bytes that its kernel with so many other points takes beside the matrix and the points, on as many threads.
    func workingBytes(with points: Int, threads: Int) -> Int

    /// How far entries of the kernel may be off by rounding in their making, relative to √(K_ii K_jj).
    var entryRounding: Double { get }
    /// Whether it came as a matrix from the client, which was not checked to be a kernel.
    var mayBeNoKernel: Bool { get }

    /// The points that are equal.
    func duplicates() -> DuplicateGroups
    /// K [m, m] of the distinct points, in memory of its own.
    func trainTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double>

    /// The same in tiles of float32, for conjugate gradients; nil if the source can do no better than the whole matrix.
    /// - Parameter scaling: how a kernel of this diagonal is to be scaled.
    func packed(_ groups: DuplicateGroups, on tiles: any TileExecutor, scaling: ([Double]) throws -> UnitScaling) throws -> PackedKernel?
    /// K V in float64 for V [m, k], from tiles that are computed and forgotten; only where there is a packed kernel.
    func multiply(_ groups: DuplicateGroups, _ vectors: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double>
    /// Whether there is a packed kernel.
    var canBePacked: Bool { get }

    /// Reads the test points, or their matrices, from a request whose fields have these names.
    func readTest(_ reader: inout ObjectReader, _ names: TestFieldNames) throws(ProblemDetails) -> any TestKernel

    /// Bytes that it takes where it is kept, beside its points.
    var keptBytes: Int { get }
    /// What makes this training set what it is, for storage.
    var record: TrainingRecord { get }
}

extension TrainingKernel {
    /// Rows of the kernel.
    var order: Int { count.multipliedClamped(by: outputs ?? 1) }

    /// Numbers of all outputs of all points as the kernel sees them: [order, k], or [order, 1] where it tells outputs apart.
    func rows(_ values: Matrix<Double>) -> Matrix<Double> {
        outputs == nil ? values : values.reshaped(rows: values.rows * values.columns, columns: 1)
    }

    /// The other way: [points, k].
    func outputs(_ rows: Matrix<Double>) -> Matrix<Double> {
        outputs.map { rows.reshaped(rows: rows.rows / $0, columns: $0) } ?? rows
    }

    func check(_ targets: Targets, _ field: String) throws(ProblemDetails) {
        guard let outputs, targets.matrix.columns != outputs else { return }
        if case .classes = targets {
            throw .invalid("/labels", "\(outputs) classes expected, one for each output of the network; \(targets.matrix.columns) came")
        }
        throw .invalid("/\(field)", "\(outputs) targets a point expected, one for each output of the network; \(targets.matrix.columns) came")
    }

    func workingBytes(with points: Int, threads: Int) -> Int { 0 }
    var tableBytes: Int { 0 }

    var canBePacked: Bool { false }
    var keptBytes: Int { tableBytes }

    func packed(_ groups: DuplicateGroups, on tiles: any TileExecutor, scaling: ([Double]) throws -> UnitScaling) throws -> PackedKernel? { nil }

    var entryRounding: Double { 0x1p-30 }

    var mayBeNoKernel: Bool { false }

    func multiply(_ groups: DuplicateGroups, _ vectors: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try trainTrain(kind, groups, on: tiles).multiply(vectors, on: tiles)
    }
}

/// The same for points to predict at.
protocol TestKernel: Sendable {
    /// t.
    var count: Int { get }
    /// f₀ [t, k]; nil for 0.
    func initialOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>?
    /// k(x*, X) [t, m] for the distinct training points.
    func testTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double>
    /// k(x*, x*') [t, t].
    func testTest(_ kind: KernelKind, on tiles: any TileExecutor) throws -> Matrix<Double>
    /// k(x*, x*) [t].
    func diagonal(_ kind: KernelKind, on tiles: any TileExecutor) throws -> [Double]
    /// How far entries of the kernel may be off by rounding in their making, relative to √(K_ii K_jj).
    var entryRounding: Double { get }
    /// Where k(x*, x*) of a point stands in the request.
    func pointer(ofPrior test: Int, _ kind: KernelKind) -> String
    /// Whether a row of the kernel depends, bit for bit, on its own point only.
    var isJoinable: Bool { get }
    /// The points of several sets, these first, as one; nil if they cannot be joined.
    func joined(with others: [any TestKernel]) -> (any TestKernel)?
}

extension TestKernel {
    var entryRounding: Double { 0x1p-30 }

    func pointer(ofPrior test: Int, _ kind: KernelKind) -> String { "/kernel" }

    var isJoinable: Bool { false }

    func joined(with others: [any TestKernel]) -> (any TestKernel)? { nil }
}

/// A kernel of test points.
enum TestPart: Sendable {
    case cross, gram, diagonal
}

/// What a request calls its test points.
struct TestFieldNames: Sendable {
    var points: String
    var pattern: String
    /// Where given matrices stand: in `kernel` of the same request, or in the request itself.
    var matricesAreInKernel: Bool

    /// Of a request that fits and predicts.
    static let beside = TestFieldNames(points: "x_test", pattern: "pattern_test", matricesAreInKernel: true)
    /// Of a request to a stored regressor.
    static let alone = TestFieldNames(points: "x", pattern: "pattern", matricesAreInKernel: false)
}

/// A training set as scalars and arrays.
struct TrainingRecord: Sendable {
    /// Members of an object, in canonical JSON.
    var members: [(name: String, json: String)]
    var tensors: [(name: String, shape: [Int], values: Matrix<Double>)]
    /// The model file whose network it is.
    var model: FileContent?
}

/// The list of sources.
enum TrainingKernels {
    /// Reads `kernel`, and `x_train` where the source needs points.
    static func read(
        _ reader: inout ObjectReader, _ networks: NetworkStore, points: String = "x_train", pattern: String = "pattern_train"
    ) throws(ProblemDetails) -> any TrainingKernel {
        let value = try reader.required("kernel", "a kernel source, such as {\"architecture\": …, \"kind\": \"ntk\"},")
        var source = try ObjectReader(value, at: reader.pointer(to: "kernel"))
        if let matrices = source.optional("matrices") {
            try source.finish(orNull: ["architecture", "network", "kind", "data_format", "output", "include", "exclude"])
            return try GivenTraining(matrices, at: source.pointer(to: "matrices"))
        }
        if let network = source.optional("network") {
            let network = try networks.reference(network, at: source.pointer(to: "network"))
            let kind: KernelKind = try source.choice("kind", default: .ntk)
            guard kind == .ntk else { throw .invalid(source.pointer(to: "kind"), "\"ntk\" expected: a network's kernel is that of its gradients") }
            switch network {
            case .architecture(let network):
                try source.finish(orNull: ["output", "include", "exclude", "data_format"])
                return try NetworkTrainingSet(network, &reader, points: points, pattern: pattern)
            case .file(let file): return try ModelTrainingSet(file, &source, &reader, points: points)
            }
        }
        return try AnalyticTraining(&source, &reader, points: points, pattern: pattern)
    }

    /// The training set of a record.
    static func restore(_ record: JSONObject, tensors: [String: PointTensor], model: FileContent?) throws(ProblemDetails) -> any TrainingKernel {
        if let model { return try ModelTrainingSet(record, tensors: tensors, model) }
        if record["architecture"] != nil { return try AnalyticTraining(record, tensors: tensors) }
        if record["network"] != nil { return try NetworkTrainingSet(record, tensors: tensors) }
        return try GivenTraining(record, tensors: tensors)
    }
}
