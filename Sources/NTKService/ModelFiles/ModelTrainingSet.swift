internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import ONNX
internal import TensorFormats

/// Training points and the tangent kernel of a network from a file, in float64: regression from the network's own outputs is that network,
/// linearized at its weights, trained to the end. Rows of the kernel are all outputs of all points, in the order point, output.
struct ModelTrainingSet: TrainingKernel {
    let compiled: CompiledModel<Double>
    let x: ModelPoints
    /// Names of the parameters that take part.
    let parameters: [String]
    let question: KernelQuestion

    let kind = KernelKind.ntk
    let kinds: Set<KernelKind> = [.ntk]
    var count: Int { x.count }
    var outputs: Int? { compiled.program.outputCount }
    var tableBytes: Int { compiled.bytes }
    var numbersPerPoint: Int { x.numbers.multipliedClamped(by: 2) }
    var keptBytes: Int { compiled.bytes.addingClamped(compiled.file.storedBytes) }

    /// - Parameters:
    ///   - source: the kernel source, of which the network was read.
    ///   - reader: the request, which has the points.
    init(_ file: ModelFile, _ source: inout ObjectReader, _ reader: inout ObjectReader, points: String) throws(ProblemDetails) {
        let output = try source.outputName()
        let outputPointer = source.pointer(to: "output")
        let x = try reader.modelPoints(points, try file.network(output: output, outputPointer: outputPointer))
        let compiled = try file.program(Double.self, output: output, outputPointer: outputPointer, shapes: x.shapes, points: points)
        self.init(compiled, x, parameters: try ModelQuestion.parameters(&source, compiled.program))
        try source.finish(orNull: ["data_format"])
    }

    /// The same where all of it stands in one object.
    init(_ file: ModelFile, _ reader: inout ObjectReader, points: String) throws(ProblemDetails) {
        let output = try reader.outputName()
        let outputPointer = reader.pointer(to: "output")
        let x = try reader.modelPoints(points, try file.network(output: output, outputPointer: outputPointer))
        let compiled = try file.program(Double.self, output: output, outputPointer: outputPointer, shapes: x.shapes, points: points)
        self.init(compiled, x, parameters: try ModelQuestion.parameters(&reader, compiled.program))
    }

    // MARK: Storage

    /// Of the names under which points are stored.
    static let prefix = "x_train."

    init(_ record: JSONObject, tensors: [String: PointTensor], _ model: FileContent) throws(ProblemDetails) {
        guard case .object(let description)? = record["network"], case .array(let names)? = description["parameters"] else {
            throw .damagedRecord("network")
        }
        let output: String? = if case .string(let name)? = description["output"] { name } else { nil }
        let file = try ModelFile(model, at: .pointer("/kernel/network"))
        let network = try file.network(output: output)
        var inputs: [String: NetworkInput] = [:]
        for port in network.inputs {
            guard let tensor = tensors[Self.prefix + port.name] else { throw .damagedRecord(port.name) }
            let numbers = tensor.values.elements
            inputs[port.name] = NetworkInput(
                shape: [tensor.values.rows] + tensor.shape,
                port.type.isReal ? .reals(numbers) : .integers(numbers.map { Int64(exactly: $0) ?? 0 }))
        }
        let x = ModelPoints(field: "x_train", inputs: inputs)
        let compiled = try file.program(Double.self, output: output, outputPointer: "/output", shapes: x.shapes, points: "x_train")
        let known = Set(compiled.program.parameters.map(\.name))
        let parameters = names.compactMap { if case .string(let name) = $0, known.contains(name) { name } else { nil as String? } }
        guard parameters.count == names.count else { throw .damagedRecord("parameters") }
        self.init(compiled, x, parameters: parameters)
    }

    /// What the network is, but for its file and its points.
    private var description: String {
        var json = JSONWriter()
        json.beginObject()
        json.member("format", "onnx")
        json.member("output", compiled.network.output)
        json.key("parameters")
        json.beginArray()
        for name in parameters { json.value(name) }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    var record: TrainingRecord {
        let tensors = x.inputs.sorted { ExactText($0.key) < ExactText($1.key) }.map { name, input in
            let each = input.shape.dropFirst().reduce(1, *)
            let numbers: [Double] =
                switch input.numbers {
                case .reals(let numbers): numbers
                case .integers(let numbers): numbers.map(Double.init)
                }
            return (name: Self.prefix + name, shape: input.shape, values: Matrix(rows: input.shape[0], columns: each, numbers))
        }
        return TrainingRecord(members: [("network", description)], tensors: tensors, model: compiled.file.file)
    }

    private init(_ compiled: CompiledModel<Double>, _ x: ModelPoints, parameters: [String]) {
        (self.compiled, self.x, self.parameters) = (compiled, x, parameters)
        var question = KernelQuestion()
        question.parameters = parameters
        self.question = question
    }

    // MARK: Cost

    private func cost(_ n1: Int, _ n2: Int?) -> KernelCost? {
        try? compiled.program.cost(n1, n2, question, blockBytes: ModelPasses.blockBytes)
    }

    private func kernelWork(_ n1: Int, _ n2: Int?) -> Work {
        guard let cost = cost(n1, n2) else { return .none }
        return ModelPasses.work(cost.operations, steps: compiled.program.stepCount, blocks: (n1 + cost.block - 1) / max(cost.block, 1))
    }

    var gramWork: Work { kernelWork(count, nil) }

    func work(_ part: TestPart, points: Int) -> Work {
        switch part {
        case .cross: kernelWork(points, count)
        case .gram: kernelWork(points, nil)
        case .diagonal: kernelWork(min(points, Self.diagonalBlock), nil) * ((points + Self.diagonalBlock - 1) / Self.diagonalBlock)
        }
    }

    func workingBytes(with points: Int, threads: Int) -> Int {
        let cross = points == 0 ? 0 : cost(points, count)?.bytes ?? 0
        return max(cost(count, nil)?.bytes ?? 0, cross).addingClamped(x.bytes)
    }

    // MARK: Kernels

    /// Points of a block of which only the entries of a point with itself are kept.
    fileprivate static let diagonalBlock = 8

    func initialOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>? { try outputs(x, on: tiles) }

    fileprivate func outputs(_ points: ModelPoints, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let outputs = try compiled.checked(points: points.field) { try compiled.program.outputs(points.inputs, ModelPasses.context(tiles)) }
        let matrix = Matrix<Double>(rows: points.count, columns: compiled.program.outputCount, outputs)
        guard matrix.hasNumbersOnly else { throw compiled.overflow }
        return matrix
    }

    /// Equal points have equal gradients, output by output.
    func duplicates() -> DuplicateGroups {
        let (groups, k) = (DuplicateGroups(equalRowsOf: x.matrix), compiled.program.outputCount)
        guard groups.mergedCount > 0 else { return DuplicateGroups(distinct: count * k) }
        guard k > 1 else { return groups }
        let entries = groups.group.flatMap { group in (0..<k).flatMap { [Double(group), Double($0)] } }
        return DuplicateGroups(equalRowsOf: Matrix(rows: count * k, columns: 2, entries))
    }

    func trainTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try kernel(distinct(groups), nil, on: tiles)
    }

    /// The points that the merged rows of the kernel belong to.
    fileprivate func distinct(_ groups: DuplicateGroups) -> ModelPoints {
        guard groups.mergedCount > 0 else { return x }
        let k = compiled.program.outputCount
        return x.rows(groups.representatives.filter { $0 % k == 0 }.map { $0 / k })
    }

    /// [n1 · outputs, n2 · outputs].
    func kernel(_ x1: ModelPoints, _ x2: ModelPoints?, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let result = try compiled.checked(points: x1.field) {
            try compiled.program.tangentKernel(x1.inputs, x2?.inputs, question, ModelPasses.context(tiles))
        }
        let (k, n1, n2) = (compiled.program.outputCount, x1.count, x2?.count ?? x1.count)
        let found = Matrix<Double>(rows: n1, columns: n2 * k * k, storage: result.shares[0].numbers)
        guard found.hasNumbersOnly else { throw compiled.overflow }
        guard k > 1 else { return found }
        // [n1, n2, k, k] to [n1, k, n2, k].
        let moved = Matrix<Double>(uninitializedRows: n1 * k, columns: n2 * k)
        for row in 0..<n1 {
            for column in 0..<n2 {
                for own in 0..<k {
                    let source = unsafe found.base + row * found.columns + (column * k + own) * k
                    unsafe (moved.base + (row * k + own) * moved.columns + column * k).update(from: source, count: k)
                }
            }
        }
        return moved
    }

    func readTest(_ reader: inout ObjectReader, _ names: TestFieldNames) throws(ProblemDetails) -> any TestKernel {
        try readTest(&reader, points: names.points)
    }

    func readTest(_ reader: inout ObjectReader, points field: String) throws(ProblemDetails) -> ModelTestSet {
        let points = try reader.modelPoints(field, compiled.network)
        guard points.shapes == x.shapes else {
            throw .invalid(
                reader.pointer(to: field), "points of the shapes of those of \(x.field) expected, \(x.shapes); \(points.shapes) came")
        }
        return ModelTestSet(training: self, x: points)
    }
}

struct ModelTestSet: TestKernel {
    let training: ModelTrainingSet
    let x: ModelPoints

    var count: Int { x.count }

    func initialOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>? { try training.outputs(x, on: tiles) }

    func testTrain(_ kind: KernelKind, _ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try training.kernel(x, training.distinct(groups), on: tiles)
    }

    func testTest(_ kind: KernelKind, on tiles: any TileExecutor) throws -> Matrix<Double> { try training.kernel(x, nil, on: tiles) }

    func diagonal(_ kind: KernelKind, on tiles: any TileExecutor) throws -> [Double] {
        var diagonal: [Double] = []
        for start in stride(from: 0, to: count, by: ModelTrainingSet.diagonalBlock) {
            let kernel = try training.kernel(x.rows(Array(start..<min(start + ModelTrainingSet.diagonalBlock, count))), nil, on: tiles)
            diagonal += (0..<kernel.rows).map { kernel[$0, $0] }
        }
        return diagonal
    }
}
