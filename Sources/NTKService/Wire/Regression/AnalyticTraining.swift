internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Training points and the kernel of an infinitely wide network: the only place where regression meets `AnalyticKernel`.
///
/// A class: every prediction holds one, and a copy of a struct would count a dozen references that all threads share.
final class AnalyticTraining: TrainingKernel {
    /// The architecture in canonical JSON.
    let architecture: String
    let format: DataFormat
    let kind: KernelKind
    let kernel: AnalyticKernel
    let x: PointTensor
    let pattern: Matrix<Double>?
    private let prepared = PreparedTraining()

    var count: Int { x.values.rows }
    var kinds: Set<KernelKind> { [.ntk, .nngp] }
    var outputs: Int? { nil }
    func initialOutputs(on tiles: any TileExecutor) -> Matrix<Double>? { nil }
    var gramWork: Work { kernel.work(count) }
    func work(_ part: TestPart, points: Int) -> Work {
        switch part {
        case .cross: kernel.work(points, count)
        case .gram: kernel.work(points)
        case .diagonal: kernel.diagonalWork(points)
        }
    }
    var tableBytes: Int { kernel.tableBytes }
    var numbersPerPoint: Int { x.values.columns }

    func workingBytes(with points: Int, threads: Int) -> Int {
        // The points themselves, and their unit vectors, are counted by their numbers.
        kernel.layerBytes(points: count.addingClamped(points), threads: threads, as: Double.self)
    }

    init(_ source: inout ObjectReader, _ reader: inout ObjectReader, points: String, pattern field: String) throws(ProblemDetails) {
        let pointer = source.pointer(to: "architecture")
        let tree = try source.required("architecture", "an architecture, or matrices,")
        kind = try source.choice("kind", default: .ntk)
        format = try source.choice("data_format", default: .channelsLast)
        try source.finish(orNull: ["output", "include", "exclude"])
        let layer: Layer
        (layer, architecture) = try ArchitectureWire.canonical(tree, at: pointer)
        x = try reader.tensor(points, format)
        kernel = try layer.analyticKernel(shape: x.shape, at: pointer)
        pattern = try Self.pattern(&reader, field, kernel, x)
    }

    init(_ record: JSONObject, tensors: [String: PointTensor]) throws(ProblemDetails) {
        guard let tree = record["architecture"], let x = tensors["x_train"] else { throw .damagedRecord("architecture") }
        var reader = try ObjectReader(.object(record), at: "")
        kind = try reader.requiredChoice("kind")
        format = try reader.requiredChoice("data_format")
        let layer: Layer
        (layer, architecture) = try ArchitectureWire.canonical(tree, at: "/architecture")
        kernel = try layer.analyticKernel(shape: x.shape, at: "/architecture")
        self.x = x
        pattern = tensors["pattern_train"]?.values
    }

    var record: TrainingRecord {
        var record = TrainingRecord(
            members: [("architecture", architecture), ("kind", "\"\(kind.rawValue)\""), ("data_format", "\"\(format.rawValue)\"")],
            tensors: [("x_train", [count] + x.shape, x.values)])
        if let pattern { record.tensors.append(("pattern_train", [pattern.rows, pattern.columns], pattern)) }
        return record
    }

    func duplicates() -> DuplicateGroups { DuplicateGroups(equalRowsOf: x.values, beside: pattern) }

    func trainTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        do {
            return try kernel.matrix("train-\(kind)", kind, distinct(groups), on: tiles)
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x_train", "x_train"))
        }
    }

    func distinct(_ groups: DuplicateGroups) -> KernelPoints {
        let all = KernelPoints(x: x.values, pattern: pattern)
        return groups.mergedCount == 0 ? all : all.rows(groups.representatives)
    }

    /// The distinct points as the kernel wants them, made once.
    fileprivate func prepared(_ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> PreparedPoints<Double> {
        try prepared.value(groups) {
            let distinct = distinct(groups)
            return try kernel.prepare(distinct.x, patterns: distinct.pattern, as: Double.self, on: tiles)
        }
    }

    func readTest(_ reader: inout ObjectReader, _ names: TestFieldNames) throws(ProblemDetails) -> any TestKernel {
        let points = try reader.tensor(names.points, format)
        guard points.shape == x.shape else {
            throw .invalid(reader.pointer(to: names.points), "points of shape \(x.shape) expected, as in x_train; shape \(points.shape) came")
        }
        return AnalyticTest(
            training: self, x: points.values, pattern: try Self.pattern(&reader, names.pattern, kernel, points), field: names.points)
    }

    private static func pattern(
        _ reader: inout ObjectReader, _ field: String, _ kernel: AnalyticKernel, _ points: PointTensor
    ) throws(ProblemDetails) -> Matrix<Double>? {
        let pattern = try reader.pattern(field, points: points.values.rows, spatial: Array(points.shape.dropLast()))
        let pointer = reader.pointer(to: field)
        switch (kernel.patternSize, pattern) {
        case (nil, nil): return nil
        case (nil, _?): throw .invalid(pointer, "no pattern expected: the architecture has no aggregate layer")
        case (_?, nil): throw .invalid(pointer, "the adjacency of each point expected, for aggregate; the field is missing")
        case (let size?, let pattern?):
            guard pattern.columns == size.squaredClamped else { throw .invalid(pointer, "adjacencies of \(size) by \(size) nodes expected") }
            return pattern
        }
    }
}

private struct AnalyticTest: TestKernel {
    let training: AnalyticTraining
    let x: Matrix<Double>
    let pattern: Matrix<Double>?
    /// What the request calls the points.
    let field: String

    var count: Int { x.rows }
    func initialOutputs(on tiles: any TileExecutor) -> Matrix<Double>? { nil }

    func testTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try checked {
            try training.kernel.matrix("test-train-\(kind)", kind, points, training.distinct(groups), on: tiles) {
                try training.kernel.matrices(x, training.prepared(groups, on: tiles), patterns: pattern, kinds: [kind], on: tiles)
            }
        }
    }

    var isJoinable: Bool { true }

    func joined(with others: [any TestKernel]) -> (any TestKernel)? {
        let others = others.compactMap { $0 as? AnalyticTest }
        guard others.allSatisfy({ $0.x.columns == x.columns && ($0.pattern == nil) == (pattern == nil) }) else { return nil }
        let all = [self] + others
        return AnalyticTest(
            training: training, x: Matrix(stacking: all.map(\.x)), pattern: pattern == nil ? nil : Matrix(stacking: all.compactMap(\.pattern)),
            field: field)
    }

    func testTest(_ kind: KernelKind, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try checked { try training.kernel.matrix("test-\(kind)", kind, points, on: tiles) }
    }

    func diagonal(_ kind: KernelKind, on tiles: any TileExecutor) throws -> [Double] {
        do {
            return try training.kernel.diagonals(x, patterns: pattern, kinds: [kind], as: Double.self, on: tiles)[kind] ?? []
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: (field, "x_train"))
        }
    }

    func pointer(ofPrior test: Int, _ kind: KernelKind) -> String { "/\(field)/\(test)" }

    private var points: KernelPoints { KernelPoints(x: x, pattern: pattern) }

    private func checked(_ make: () throws -> Matrix<Double>) throws -> Matrix<Double> {
        do {
            return try make()
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: (field, "x_train"))
        }
    }
}
