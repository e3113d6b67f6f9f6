import FiniteNetworks
import LinearAlgebra
import ONNX
import TestSupport
import Testing

/// A network of one operator, whose kernel is compared with that of derivatives by central differences.
///
/// Each real input that comes with the point has a parameter of its shape added to it, so that its derivative is the parameter's. The kernel of
/// three points is computed in both ways, for one set of points and for two, in blocks of one point, in both precisions, and as trace and diagonal.
struct OperatorCheck {
    enum Operand {
        /// Comes with the point: numbers between two bounds.
        case point([Int], ClosedRange<Double> = -1.5...1.5)
        /// A parameter.
        case weight([Int], ClosedRange<Double> = -1.5...1.5)
        /// Integers that come with the point, below a bound.
        case indices([Int], Range<Int>)
        case integers([Int], shape: [Int]? = nil)
        case booleans([Int], shape: [Int])
        case reals([Double], shape: [Int])
        case absent
    }

    var node: ONNXNode
    var operands: [Operand]
    var opset = 18
    var outputs = 1
    var seed: UInt64 = 1
    /// Numbers are all multiples of this apart, so that no difference of numbers crosses a kink.
    var spacing: Double?

    private static let points = 3

    init(
        _ operation: String, _ operands: [Operand], _ attributes: [String: ONNXAttribute] = [:], opset: Int = 18, seed: UInt64 = 1,
        spacing: Double? = nil
    ) {
        node = ONNXNode(operation, [], ["y"], name: "it", attributes: attributes)
        self.operands = operands
        self.opset = opset
        self.seed = seed
        self.spacing = spacing
    }

    /// The parameters of the model, in order.
    private struct Draw {
        var parameters: [(name: String, shape: [Int], numbers: [Double])] = []
        var points: [String: NetworkInput] = [:]
        var nodes: [ONNXNode] = []
        var constants: [ONNXTensor] = []
        var inputs: [ONNXValueInfo] = []
        var names: [String] = []
    }

    private func draw() -> Draw {
        var generator = SeededGenerator(seed: seed)
        var draw = Draw()
        var used: Set<Double> = []
        func number(_ range: ClosedRange<Double>) -> Double {
            guard let spacing else { return Double.random(in: range, using: &generator) }
            while true {
                let number = (Double.random(in: range, using: &generator) / spacing).rounded() * spacing + 0.31 * spacing
                if used.insert(number).inserted { return number }
            }
        }
        for (index, operand) in operands.enumerated() {
            let name = "i\(index)"
            switch operand {
            case .point(let shape, let range):
                let count = shape.reduce(1, *)
                // The sample axis is the tensor's first one where that has extent 1.
                let rest = shape.first == 1 && shape.count > 1 ? Array(shape.dropFirst()) : shape
                let isBatched = rest.count < shape.count
                used = []
                draw.points["x\(index)"] = NetworkInput(
                    shape: [Self.points] + rest, .reals((0..<Self.points * count).map { _ in number(range) }))
                draw.inputs.append(ONNXValueInfo(name: "x\(index)", type: .float64, shape: [.dynamic("n")] + rest.map { .fixed($0) }))
                draw.parameters.append(("p\(index)", shape, [Double](repeating: 0, count: count)))
                if isBatched {
                    draw.nodes.append(ONNXNode("Add", ["x\(index)", "p\(index)"], [name]))
                } else {
                    draw.constants.append(ONNXTensor(name: "s\(index)", shape: [shape.count], integers: shape))
                    draw.nodes.append(ONNXNode("Reshape", ["x\(index)", "s\(index)"], ["r\(index)"]))
                    draw.nodes.append(ONNXNode("Add", ["r\(index)", "p\(index)"], [name]))
                }
                draw.names.append(name)
            case .weight(let shape, let range):
                draw.parameters.append((name, shape, (0..<shape.reduce(1, *)).map { _ in number(range) }))
                draw.names.append(name)
            case .indices(let shape, let range):
                draw.points["x\(index)"] = NetworkInput(
                    shape: [Self.points] + shape,
                    .integers(
                        (0..<Self.points * shape.reduce(1, *)).map { _ in
                            Int64.random(in: Int64(range.lowerBound)..<Int64(range.upperBound), using: &generator)
                        }))
                draw.inputs.append(ONNXValueInfo(name: "x\(index)", type: .int64, shape: [.dynamic("n")] + shape.map { .fixed($0) }))
                draw.constants.append(ONNXTensor(name: "s\(index)", shape: [shape.count], integers: shape))
                draw.nodes.append(ONNXNode("Reshape", ["x\(index)", "s\(index)"], [name]))
                draw.names.append(name)
            case .integers(let values, let shape):
                draw.constants.append(ONNXTensor(name: name, shape: shape ?? [values.count], integers: values))
                draw.names.append(name)
            case .booleans(let values, let shape):
                draw.constants.append(ONNXTensor(name: name, shape: shape, integers: values, type: .bool))
                draw.names.append(name)
            case .reals(let values, let shape):
                draw.nodes.append(
                    ONNXNode("Constant", [], [name], attributes: ["value": .tensor(ONNXTensor(name: "", shape: shape, doubles: values))]))
                draw.names.append(name)
            case .absent: draw.names.append("")
            }
        }
        return draw
    }

    private func network(_ draw: Draw, _ parameters: [[Double]]) throws -> GraphNetwork {
        var node = node
        node.inputs = draw.names
        node.outputs = (0..<outputs).map { "o\($0)" }
        var nodes = draw.nodes + [node]
        var parts: [String] = []
        for index in 0..<outputs {
            nodes.append(ONNXNode("Flatten", ["o\(index)"], ["f\(index)"], attributes: ["axis": .int(0)]))
            parts.append("f\(index)")
        }
        nodes.append(ONNXNode("Concat", parts, ["y"], attributes: ["axis": .int(1)]))
        let weights = zip(draw.parameters, parameters).map { ONNXTensor(name: $0.name, shape: $0.shape, doubles: $1) }
        let graph = ONNXGraph(
            nodes: nodes, initializers: weights + draw.constants, inputs: draw.inputs,
            outputs: [ONNXValueInfo(name: "y", type: .float64, shape: nil)])
        return try GraphNetwork(ONNXModel(opset: opset, graph: graph))
    }

    /// Compares all kernels with those of numerical derivatives.
    func run(tolerance: Double = 1e-7, _ location: SourceLocation = #_sourceLocation) throws {
        let draw = draw()
        let numbers = draw.parameters.map(\.numbers)
        let network = try network(draw, numbers)
        let program = try network.program(Double.self)
        let rows = Self.points * program.outputCount
        // J [rows, parameters] by differences of fourth order.
        var jacobian: [[Double]] = []
        let step = 1e-4
        for (index, values) in numbers.enumerated() {
            for place in values.indices {
                func outputs(_ shift: Double) throws -> [Double] {
                    var changed = numbers
                    changed[index][place] += shift * step
                    return try self.network(draw, changed).program(Double.self).outputs(draw.points)
                }
                let (a, b) = (try outputs(1), try outputs(-1))
                let (c, d) = (try outputs(2), try outputs(-2))
                jacobian.append((0..<rows).map { (8 * (a[$0] - b[$0]) - (c[$0] - d[$0])) / (12 * step) })
            }
        }
        var expected = [Double](repeating: 0, count: rows * rows)
        for column in jacobian { for i in 0..<rows { for j in 0..<rows { expected[i * rows + j] += column[i] * column[j] } } }
        let k = program.outputCount
        func entry(_ i: Int, _ j: Int, _ o: Int, _ p: Int) -> Double { expected[(i * k + o) * rows + j * k + p] }
        let n = Self.points
        var full: [Double] = []
        var diagonal: [Double] = []
        var trace: [Double] = []
        for i in 0..<n {
            for j in 0..<n {
                for o in 0..<k { for p in 0..<k { full.append(entry(i, j, o, p)) } }
                for o in 0..<k { diagonal.append(entry(i, j, o, o)) }
                trace.append((0..<k).reduce(0) { $0 + entry(i, j, $1, $1) })
            }
        }
        #expect(full.contains { $0 != 0 }, sourceLocation: location)
        var question = KernelQuestion()
        question.parameters = program.parameters.map(\.name)
        for way in [PassPlan.Way.gradients, .grams] {
            question.way = way
            for (outputs, reference) in [(KernelOutputs.full, full), (.diagonal, diagonal), (.sum, trace)] {
                question.outputs = outputs
                let kernel = try program.tangentKernel(draw.points, nil, question)
                #expect(relativeDistance(kernel.shares[0].numbers.elements, reference) < tolerance, "\(way) \(outputs)", sourceLocation: location)
                let blocks = try program.tangentKernel(draw.points, nil, question, PassContext(blockBytes: 1))
                #expect(
                    relativeDistance(blocks.shares[0].numbers.elements, reference) < tolerance, "\(way) \(outputs) in blocks",
                    sourceLocation: location)
                let pair = try program.tangentKernel(draw.points, draw.points, question)
                #expect(
                    relativeDistance(pair.shares[0].numbers.elements, reference) < tolerance, "\(way) \(outputs) of two sets",
                    sourceLocation: location)
            }
        }
        try compareGradients(program, draw.points, question, jacobian, tolerance, location)
        question.isLayerwise = true
        question.outputs = .full
        let layers = try program.tangentKernel(draw.points, nil, question)
        var sum = [Double](repeating: 0, count: full.count)
        for share in layers.shares { for (index, number) in share.numbers.elements.enumerated() { sum[index] += number } }
        #expect(relativeDistance(sum, full) < tolerance, "sum of shares", sourceLocation: location)
        question.isLayerwise = false
        question.way = nil
        let single = try network.program(Float.self).tangentKernel(draw.points, nil, question)
        #expect(relativeDistance(single.shares[0].numbers.elements.map(Double.init), full) < 2e-3, "single precision", sourceLocation: location)
    }

    /// Compares the gradients of each point, and their sum over points and outputs, with columns of numerical derivatives.
    private func compareGradients(
        _ program: NetworkProgram<Double>, _ points: [String: NetworkInput], _ question: KernelQuestion, _ jacobian: [[Double]],
        _ tolerance: Double, _ location: SourceLocation
    ) throws {
        let (n, k) = (Self.points, program.outputCount)
        // In the program's order, which leaves out what the outputs do not depend on.
        let columns = jacobian.filter { $0.contains { $0 != 0 } }
        let largest = columns.flatMap { $0 }.map(abs).max() ?? 0
        var sums = [Double](repeating: 0, count: try program.parameterCount(question.parameters))
        for blockBytes in [1, 1 << 30] {
            for output in [0, k - 1] {
                let features = try program.gradientFeatures(
                    points, .output(output), parameters: question.parameters, nil, PassContext(blockBytes: blockBytes))
                let found = (0..<features.columns).map { column in (0..<n).map { features[$0, column] } }.filter {
                    $0.contains { abs($0) > 1e-9 * largest }
                }
                let expected = columns.map { column in (0..<n).map { column[$0 * k + output] } }.filter { $0.contains { abs($0) > 1e-9 * largest } }
                #expect(found.count == expected.count, sourceLocation: location)
                for (a, b) in zip(found, expected) {
                    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 10 * tolerance * largest }, "gradients of points", sourceLocation: location)
                }
            }
            let weights = (0..<n * k).map { 0.3 + Double($0 % 7) - 0.2 * Double($0 % 3) }
            let (_, gradient) = try program.gradient(points, parameters: question.parameters, PassContext(blockBytes: blockBytes)) { _, range in
                Array(weights[range.lowerBound * k..<range.upperBound * k])
            }
            let found = gradient.flatMap(\.elements)
            if blockBytes == 1 { sums = found }
            #expect(relativeDistance(found, sums) < 1e-10, "sums in blocks", sourceLocation: location)
            let expected = columns.map { zip($0, weights).reduce(0) { $0 + $1.0 * $1.1 } }
            let size = max(largest * 10, expected.map(abs).max() ?? 0)
            let (a, b) = (found.filter { abs($0) > 1e-8 * size }, expected.filter { abs($0) > 1e-8 * size })
            #expect(a.count == b.count, sourceLocation: location)
            #expect(zip(a, b).allSatisfy { abs($0 - $1) < 10 * tolerance * size }, "sum of gradients", sourceLocation: location)
        }
    }
}
