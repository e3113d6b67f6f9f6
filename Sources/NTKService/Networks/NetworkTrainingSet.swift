internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Training points and the tangent kernel of a finite network with its weights, so that regression from the network's own outputs is that
/// network, linearized at its weights, trained to the end.
///
/// Outputs are not independent: the kernel is that of all outputs of all points, in the order point, output.
struct NetworkTrainingSet: TrainingKernel {
    let source: NetworkSource
    let network: FiniteNetwork
    let x: PointTensor
    let pattern: Matrix<Double>?
    /// Places of the parameters that take part; nil for all that can be trained.
    let included: Set<Int>?
    let gramWork: Work

    let kind = KernelKind.ntk
    let kinds: Set<KernelKind> = [.ntk]
    var count: Int { x.values.rows }
    var outputs: Int? { network.outputs }
    var tableBytes: Int { network.tableBytes }
    func workingBytes(with points: Int, threads: Int) -> Int { network.gatheredBytes(threads: threads, elementBytes: 8) }
    var numbersPerPoint: Int { x.values.columns.addingClamped(network.valuesPerPoint) }

    init(_ source: NetworkSource, _ reader: inout ObjectReader, points: String, pattern: String) throws(ProblemDetails) {
        let x = try reader.networkPoints(points, source.format)
        let network = try source.network(shape: x.shape, points: points)
        try self.init(source, network, x, pattern: reader.pattern(pattern, network, points: x.values.rows))
    }

    /// Of the network of a request in which `include` and `exclude` stand beside the points.
    init(choosing source: NetworkSource, _ reader: inout ObjectReader, points: String, pattern: String) throws(ProblemDetails) {
        let x = try reader.networkPoints(points, source.format)
        let network = try source.network(shape: x.shape, points: points)
        let pattern = try reader.pattern(pattern, network, points: x.values.rows)
        try self.init(source, network, x, pattern: pattern, included: EmpiricalKernelRequest.included(&reader, network))
    }

    private init(
        _ source: NetworkSource, _ network: FiniteNetwork, _ x: PointTensor, pattern: Matrix<Double>?, included: Set<Int>? = nil
    ) throws(ProblemDetails) {
        self.source = source
        self.network = network
        self.x = x
        self.pattern = pattern
        self.included = included
        let cost = EmpiricalKernel(network, NetworkParameters(values: []), included: included).cost(
            n1: x.values.rows, n2: nil, outputs: .full, as: Double.self)
        gramWork = cost.work + source.work(network)
    }

    func work(_ part: TestPart, points: Int) -> Work {
        let kernel = EmpiricalKernel(network, NetworkParameters(values: []), included: included)
        let work =
            switch part {
            case .cross: kernel.cost(n1: points, n2: count, outputs: .full, as: Double.self).work
            case .gram: kernel.cost(n1: points, n2: nil, outputs: .full, as: Double.self).work
            case .diagonal: kernel.cost(n1: min(points, 32), n2: nil, outputs: .full, as: Double.self).work * ((points + 31) / 32)
            }
        return work + source.work(network)
    }

    // MARK: Storage

    /// Of the names under which the network's parameters are stored.
    private static let prefix = "network."

    init(_ record: JSONObject, tensors: [String: PointTensor]) throws(ProblemDetails) {
        guard let value = record["network"], case .object(let object) = value, let x = tensors["x_train"] else { throw .damagedRecord("network") }
        var arrays: [String: NumericArray] = [:]
        for (name, tensor) in tensors where name.hasPrefix(Self.prefix) {
            arrays[String(name.dropFirst(Self.prefix.count))] = NumericArray(
                shape: [tensor.values.rows] + tensor.shape, elements: NumericElements(tensor.values.storage))
        }
        let source = try NetworkSource(value, at: "/network", arrays: object["initialization"] == nil ? arrays : nil)
        try self.init(source, try source.network(shape: x.shape), x, pattern: tensors["pattern_train"]?.values)
    }

    var record: TrainingRecord {
        var record = TrainingRecord(
            members: [("network", source.manifest)],
            tensors: [("x_train", [count] + x.shape, x.values)] + source.tensors.map { (Self.prefix + $0.name, $0.shape, $0.values) })
        if let pattern { record.tensors.append(("pattern_train", [pattern.rows, pattern.columns], pattern)) }
        return record
    }

    // MARK: Kernels

    func initialOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>? { try outputs(x.values, pattern, on: tiles) }

    fileprivate func outputs(_ x: Matrix<Double>, _ pattern: Matrix<Double>?, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try checked {
            try network.outputs(x, parameters: source.values(network, on: tiles), patterns: pattern, as: Double.self, on: tiles)
        }
    }

    /// Equal points have equal gradients, output by output.
    func duplicates() -> DuplicateGroups {
        let groups = DuplicateGroups(equalRowsOf: x.values, beside: pattern)
        guard groups.mergedCount > 0, network.outputs > 1 else {
            return groups.mergedCount > 0 ? groups : DuplicateGroups(distinct: count * network.outputs)
        }
        let entries = groups.group.flatMap { group in (0..<network.outputs).flatMap { [Double(group), Double($0)] } }
        return DuplicateGroups(equalRowsOf: Matrix(rows: count * network.outputs, columns: 2, entries))
    }

    func trainTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let points = distinct(groups)
        return try kernel(points.x, nil, points.pattern, nil, keptAs: "train", on: tiles)
    }

    /// The points that the merged rows of the kernel belong to.
    fileprivate func distinct(_ groups: DuplicateGroups) -> (x: Matrix<Double>, pattern: Matrix<Double>?) {
        guard groups.mergedCount > 0 else { return (x.values, pattern) }
        let rows = groups.representatives.filter { $0 % network.outputs == 0 }.map { $0 / network.outputs }
        return (x.values.rows(rows), pattern?.rows(rows))
    }

    /// [n1 · outputs, n2 · outputs].
    func kernel(
        _ x1: Matrix<Double>, _ x2: Matrix<Double>?, _ pattern1: Matrix<Double>?, _ pattern2: Matrix<Double>?, keptAs name: String? = nil,
        on tiles: any TileExecutor
    ) throws -> Matrix<Double> {
        let k = network.outputs
        let result = try checked {
            try EmpiricalKernel(network, source.values(network, on: tiles), included: included).ntk(
                x1, x2, patterns: pattern1.map { ($0, pattern2) }, outputs: .full, keptAs: name, as: Double.self, on: tiles
            ).kernel
        }
        guard k > 1 else { return result }
        // [n1, n2, k, k] to [n1, k, n2, k].
        let columns = x2?.rows ?? x1.rows
        let moved = Matrix<Double>(uninitializedRows: x1.rows * k, columns: columns * k)
        for row in 0..<x1.rows {
            for column in 0..<columns {
                for own in 0..<k {
                    let source = unsafe result.base + row * result.columns + (column * k + own) * k
                    unsafe (moved.base + (row * k + own) * moved.columns + column * k).update(from: source, count: k)
                }
            }
        }
        return moved
    }

    func checked<Value>(_ make: () throws -> Value) throws -> Value {
        do { return try make() } catch let error as NetworkError { throw ProblemDetails(error, at: source.place) }
    }

    func readTest(_ reader: inout ObjectReader, _ names: TestFieldNames) throws(ProblemDetails) -> any TestKernel {
        try readTestSet(&reader, names)
    }

    func readTestSet(_ reader: inout ObjectReader, _ names: TestFieldNames) throws(ProblemDetails) -> NetworkTestSet {
        let points = try reader.networkPoints(names.points, source.format)
        guard points.shape == x.shape else {
            throw .invalid(reader.pointer(to: names.points), "points of shape \(x.shape) expected, as in x_train; shape \(points.shape) came")
        }
        return NetworkTestSet(
            training: self, x: points.values, pattern: try reader.pattern(names.pattern, network, points: points.values.rows))
    }
}

struct NetworkTestSet: TestKernel {
    let training: NetworkTrainingSet
    let x: Matrix<Double>
    let pattern: Matrix<Double>?

    var count: Int { x.rows }

    func initialOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>? { try training.outputs(x, pattern, on: tiles) }

    func testTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let train = training.distinct(groups)
        return try training.kernel(x, train.x, pattern, train.pattern, keptAs: "test-train", on: tiles)
    }

    func testTest(_ kind: KernelKind, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try training.kernel(x, nil, pattern, nil, keptAs: "test", on: tiles)
    }

    func diagonal(_ kind: KernelKind, on tiles: any TileExecutor) throws -> [Double] {
        // A block of points at a time, of which the entries of a point with itself are kept.
        var diagonal: [Double] = []
        for block in TileGrid(rows: x.rows, columns: 1, side: 32, upperOnly: false).tiles.map(\.rows) {
            let rows = Array(block)
            let kernel = try training.kernel(x.rows(rows), nil, pattern?.rows(rows), nil, on: tiles)
            diagonal += (0..<kernel.rows).map { kernel[$0, $0] }
        }
        return diagonal
    }
}
