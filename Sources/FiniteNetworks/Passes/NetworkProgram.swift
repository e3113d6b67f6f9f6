public import LinearAlgebra

/// A network compiled for the shapes of its inputs, in one precision.
public struct NetworkProgram<F: NetworkScalar>: Sendable {
    /// An input of the network: shape and kind of one point.
    struct Input: Sendable {
        var name: String
        var wire: Wire
        var type: TensorType
    }

    /// An initializer that the output depends on differentiably.
    public struct Parameter: Sendable, Equatable {
        public var name: String
        public var shape: [Int]
        var wire: Wire
        /// Whether it takes part where no names are chosen: what the file says or, without a word of it, all but single numbers, which are
        /// mostly constants that exporters write.
        public var countsByDefault: Bool

        public var count: Int { shape.clampedProduct }
    }

    let values: [GraphValue]
    let steps: [Step]
    let staticSteps: [Step]
    let inputs: [Input]
    let output: Wire
    public let outputShape: [Int]
    public let parameters: [Parameter]

    /// Numbers of the output of one point.
    public var outputCount: Int { outputShape.clampedProduct }
    public var parameterCount: Int { parameters.reduce(0) { $0 + ($1.countsByDefault ? $1.count : 0) } }

    /// Floating-point operations of one point's outputs.
    public var forwardOperations: Double { steps.reduce(0) { $0 + $1.operation.operations } }

    /// Steps that are done for each block of points.
    public var stepCount: Int { steps.count }

    func port(of root: Wire, _ buffer: Buffer?, stride: Int? = nil) -> Port {
        guard let buffer else { return .absent }
        let type = values[root].type
        return Port(address: buffer.address, stride: stride ?? type.count, count: type.count, size: size(of: root))
    }

    /// Bytes of an element.
    func size(of root: Wire) -> Int { values[root].type.isReal ? MemoryLayout<F>.stride : 8 }

    /// A step's input in the forward pass: shared where it is a constant.
    func valuePort(_ root: Wire?, _ buffers: [Buffer?]) -> Port {
        guard let root else { return .absent }
        if !values[root].isSampled { return port(of: root, values[root].constant, stride: 0) }
        return port(of: root, buffers[root])
    }
}

/// Points for one input of a network: [points] + the shape of one point.
public struct NetworkInput: Sendable {
    public enum Numbers: Sendable {
        case reals([Double])
        case integers([Int64])
    }

    public var shape: [Int]
    public var numbers: Numbers

    public init(shape: [Int], _ numbers: Numbers) {
        self.shape = shape
        self.numbers = numbers
    }
}

/// Points in the precision of a program, for all its inputs.
struct PreparedInputs<F: NetworkScalar>: Sendable {
    let count: Int
    /// In the order of the program's inputs.
    let ports: [Port]
    private let buffers: [Buffer]

    init(_ points: [String: NetworkInput], _ program: NetworkProgram<F>) throws(GraphError) {
        var (ports, buffers): ([Port], [Buffer]) = ([], [])
        var count: Int?
        for name in points.keys where !program.inputs.contains(where: { $0.name == name }) {
            throw GraphError(.points, "the network has no input \"\(name)\" that its output depends on")
        }
        for input in program.inputs {
            guard let given = points[input.name] else { throw GraphError(.points, "no points for input \"\(input.name)\"") }
            let each = input.type.count
            guard let rows = given.shape.first, Array(given.shape.dropFirst()).filter({ $0 != 1 }) == input.type.shape.filter({ $0 != 1 }) else {
                throw GraphError(.points, "points of shape \(given.shape) for input \"\(input.name)\" of shape \(input.type.shape)")
            }
            guard count == nil || count == rows else { throw GraphError(.points, "\(count ?? 0) points in one input, \(rows) in another") }
            count = rows
            let total = rows.multipliedClamped(by: each)
            let buffer = input.type.isReal ? Buffer(F.self, count: total) : Buffer(Int64.self, count: total)
            switch given.numbers {
            case .reals(let numbers):
                guard numbers.count == total else { throw GraphError(.points, "\(numbers.count) numbers for shape \(given.shape)") }
                guard input.type.isReal else { throw GraphError(.points, "input \"\(input.name)\" takes integers") }
                let cells = buffer.cells(F.self, total)
                for (index, number) in numbers.enumerated() { cells[index] = F(number) }
            case .integers(let numbers):
                guard numbers.count == total else { throw GraphError(.points, "\(numbers.count) numbers for shape \(given.shape)") }
                if input.type.isReal {
                    let cells = buffer.cells(F.self, total)
                    for (index, number) in numbers.enumerated() { cells[index] = F(number) }
                } else {
                    let cells = buffer.cells(Int64.self, total)
                    for (index, number) in numbers.enumerated() { cells[index] = number }
                }
            }
            buffers.append(buffer)
            ports.append(Port(address: buffer.address, stride: each, count: each, size: input.type.isReal ? MemoryLayout<F>.stride : 8))
        }
        self.count = count ?? 0
        self.ports = ports
        self.buffers = buffers
    }
}

/// What a pass runs with: threads, and a question that it asks between steps.
public struct PassContext: Sendable {
    public var executor: any TileExecutor
    public var isCancelled: @Sendable () -> Bool
    /// Bytes that the values and cotangents of a block of points may take.
    public var blockBytes: Int

    public init(
        executor: any TileExecutor = SerialTiles(), blockBytes: Int = 1 << 30, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.executor = executor
        self.blockBytes = blockBytes
        self.isCancelled = isCancelled
    }

    /// Calls `body` with ranges of samples, at the same time where the work is worth it. The ranges do not depend on the threads.
    func forEachRange(_ samples: Int, operations: Double, _ body: @escaping @Sendable (Range<Int>) throws -> Void) throws {
        if isCancelled() { throw CancellationError() }
        let pieces = min(samples, max(1, Int(min(operations * Double(samples) / 500_000, 64))))
        if pieces == 1 { return try body(0..<samples) }
        try executor.forEach(pieces) { piece in try body(samples * piece / pieces..<samples * (piece + 1) / pieces) }
    }
}
