internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Gram matrices as they were given: `{"train_train", "test_train", "test_test"}`, and where the outputs' covariance at initialization is
/// another, the same three in `nngp`.
struct GivenTraining: TrainingKernel {
    private let matrices: [KernelKind: Matrix<Double>]
    /// Test matrices that came in the same object.
    private let object: JSONValue?
    private let pointer: String

    /// That of float32 where every number is one, as of matrices that were computed so.
    let entryRounding: Double
    let mayBeNoKernel = true

    let kind = KernelKind.ntk
    var count: Int { matrices[.ntk]?.rows ?? 0 }
    var kinds: Set<KernelKind> { Set(matrices.keys) }
    var outputs: Int? { nil }
    func initialOutputs(on tiles: any TileExecutor) -> Matrix<Double>? { nil }
    var gramWork: Work { Work.pass(count, count) * 2 + Work(.calls, 5).onOneThread }
    func work(_ part: TestPart, points: Int) -> Work { Work.pass(points, part == .cross ? count : part == .gram ? points : 1) }
    var numbersPerPoint: Int { count }

    static let testFields = ["test_train", "test_test"]

    init(_ value: JSONValue, at pointer: String) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: pointer)
        let trainTrain = try reader.gram("train_train", count: nil)
        var matrices: [KernelKind: Matrix<Double>] = [.ntk: trainTrain]
        for field in Self.testFields { _ = reader.optional(field) }
        if let nngp = reader.optional("nngp") {
            var nested = try ObjectReader(nngp, at: reader.pointer(to: "nngp"))
            matrices[.nngp] = try nested.gram("train_train", count: trainTrain.rows)
            for field in Self.testFields { _ = nested.optional(field) }
            try nested.finish()
        }
        try reader.finish()
        self.matrices = matrices
        entryRounding = GivenRounding.entries(Array(matrices.values))
        object = value
        self.pointer = pointer
    }

    init(_ record: JSONObject, tensors: [String: PointTensor]) throws(ProblemDetails) {
        guard let trainTrain = tensors["train_train"] else { throw .damagedRecord("train_train") }
        var matrices: [KernelKind: Matrix<Double>] = [.ntk: trainTrain.values]
        matrices[.nngp] = tensors["nngp.train_train"]?.values
        self.matrices = matrices
        entryRounding = GivenRounding.entries(Array(matrices.values))
        object = nil
        pointer = ""
    }

    var record: TrainingRecord {
        TrainingRecord(
            members: [("matrices", "true")],
            tensors: matrices.sorted { $0.key.rawValue > $1.key.rawValue }.map { kind, matrix in
                (kind == .ntk ? "train_train" : "nngp.train_train", [count, count], matrix)
            })
    }

    /// Points whose rows are equal are the same function to the kernel.
    func duplicates() -> DuplicateGroups { DuplicateGroups(equalRowsOf: matrices[.ntk] ?? Matrix(zeroRows: 0, columns: 0), beside: matrices[.nngp]) }

    func trainTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let matrix = matrices[kind] ?? Matrix(zeroRows: 0, columns: 0)
        return groups.mergedCount == 0 ? matrix.copy() : matrix.rows(groups.representatives).columns(groups.representatives)
    }

    func readTest(_ reader: inout ObjectReader, _ names: TestFieldNames) throws(ProblemDetails) -> any TestKernel {
        if names.matricesAreInKernel {
            guard let object else { throw .invalid(pointer, "matrices expected") }
            var own = try ObjectReader(object, at: pointer)
            return try read(&own)
        }
        return try read(&reader)
    }

    private func read(_ reader: inout ObjectReader) throws(ProblemDetails) -> GivenTest {
        let testTrain = try reader.cross("test_train", columns: count)
        var matrices = [KernelKind.ntk: (testTrain: testTrain, testTest: try reader.testTest("test_test", count: testTrain.rows))]
        var pointers = [KernelKind.ntk: reader.pointer]
        if kinds.contains(.nngp), let nngp = reader.optional("nngp") {
            var nested = try ObjectReader(nngp, at: reader.pointer(to: "nngp"))
            _ = nested.optional("train_train")
            if nested.optional("test_train") != nil || nested.optional("test_test") != nil {
                let cross = try nested.cross("test_train", columns: count)
                guard cross.rows == testTrain.rows else {
                    throw .invalid(nested.pointer(to: "test_train"), "\(testTrain.rows) rows expected, as in test_train; \(cross.rows) came")
                }
                matrices[.nngp] = (cross, try nested.testTest("test_test", count: cross.rows))
            }
            pointers[.nngp] = nested.pointer
            try nested.finish()
        }
        return GivenTest(matrices: matrices, pointers: pointers)
    }
}

private struct GivenTest: TestKernel {
    enum TestTest: Sendable {
        case full(Matrix<Double>)
        case diagonal([Double])
    }

    let matrices: [KernelKind: (testTrain: Matrix<Double>, testTest: TestTest?)]
    let pointers: [KernelKind: String]

    var count: Int { matrices[.ntk]?.testTrain.rows ?? 0 }
    var entryRounding: Double { GivenRounding.entries(matrices.values.map(\.testTrain)) }

    func pointer(ofPrior test: Int, _ kind: KernelKind) -> String {
        let row = "\(parent(kind))/test_test/\(test)"
        return if case .full? = matrices[kind]?.testTest { "\(row)/\(test)" } else { row }
    }

    func initialOutputs(on tiles: any TileExecutor) -> Matrix<Double>? { nil }

    func testTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        guard let matrix = matrices[kind]?.testTrain else { throw missing(kind, "test_train") }
        return groups.mergedCount == 0 ? matrix : matrix.columns(groups.representatives)
    }

    func testTest(_ kind: KernelKind, on tiles: any TileExecutor) throws -> Matrix<Double> {
        guard case .full(let matrix)? = matrices[kind]?.testTest else { throw missing(kind, "test_test") }
        return matrix
    }

    func diagonal(_ kind: KernelKind, on tiles: any TileExecutor) throws -> [Double] {
        switch matrices[kind]?.testTest {
        case .full(let matrix): return matrix.diagonal
        case .diagonal(let values): return values
        case nil: throw missing(kind, "test_test")
        }
    }

    private func parent(_ kind: KernelKind) -> String { pointers[kind] ?? ((pointers[.ntk] ?? "") + "/nngp") }

    private func missing(_ kind: KernelKind, _ field: String) -> ProblemDetails {
        .invalid(
            "\(parent(kind))/\(field)", "the kernel's \(field == "test_test" ? "values among the test points" : "rows of the test points") expected")
    }
}

extension ObjectReader {
    /// A Gram matrix [n, n]: symmetric, its diagonal not negative.
    fileprivate mutating func gram(_ field: String, count: Int?) throws(ProblemDetails) -> Matrix<Double> {
        let matrix = try cross(field, columns: count)
        let pointer = pointer(to: field)
        guard matrix.rows == matrix.columns else {
            throw .invalid(pointer, "a square matrix expected; shape [\(matrix.rows), \(matrix.columns)] came")
        }
        let rounding = max(1e-10, GivenRounding.entries([matrix]))
        for row in 0..<matrix.rows {
            guard matrix[row, row] >= 0 else {
                throw .invalid("\(pointer)/\(row)/\(row)", "a diagonal that is not negative expected; \(matrix[row, row]) came")
            }
            for column in row + 1..<max(matrix.columns, row + 1) {
                let scale = matrix[row, row].squareRoot() * matrix[column, column].squareRoot()
                let difference = abs(matrix[row, column] - matrix[column, row])
                guard difference <= rounding * max(scale, abs(matrix[row, column])) else {
                    throw .invalid(
                        "\(pointer)/\(row)/\(column)",
                        "a symmetric matrix expected; \(matrix[row, column]) came here and \(matrix[column, row]) across the diagonal")
                }
            }
        }
        return matrix
    }

    fileprivate mutating func cross(_ field: String, columns: Int?) throws(ProblemDetails) -> Matrix<Double> {
        let array = try array(field, "a matrix")
        let pointer = pointer(to: field)
        guard array.shape.count == 2, array.shape[0] > 0, array.shape[1] > 0, columns == nil || array.shape[1] == columns else {
            throw .invalid(pointer, "a matrix of shape [t, \(columns.map(String.init) ?? "n")] expected; shape \(array.shape) came")
        }
        guard !array.hasNulls else { throw .invalid(pointer, "numbers expected in every place; null came") }
        return Matrix(rows: array.shape[0], columns: array.shape[1], array.elements)
    }

    /// [t, t], or its diagonal [t].
    fileprivate mutating func testTest(_ field: String, count: Int) throws(ProblemDetails) -> GivenTest.TestTest? {
        guard let array = try optionalArray(field) else { return nil }
        let pointer = pointer(to: field)
        if array.shape == [count] {
            guard !array.hasNulls, array.elements.allSatisfy({ $0 >= 0 }) else { throw .invalid(pointer, "numbers that are not negative expected") }
            return .diagonal(Array(array.elements))
        }
        guard array.shape == [count, count] else {
            throw .invalid(pointer, "shape [\(count), \(count)], or [\(count)] for the diagonal alone, expected; shape \(array.shape) came")
        }
        return .full(try gram(field, count: count))
    }
}
