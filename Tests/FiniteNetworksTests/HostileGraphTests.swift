import FiniteNetworks
import ONNX
import Testing

/// Graphs that ask for too much or contradict themselves: an error that says so, never a trap, and nothing is laid out first.
struct HostileGraphTests {
    private let input = ONNXValueInfo(name: "x", type: .float64, shape: [.dynamic("n"), .fixed(2)])

    private func refusal(
        _ nodes: [ONNXNode], _ constants: [ONNXTensor] = [], shape: [ONNXDimension]? = nil, output: String = "y"
    ) -> GraphError? {
        var input = input
        if let shape { input.shape = shape }
        let graph = ONNXGraph(
            nodes: nodes, initializers: constants, inputs: [input], outputs: [ONNXValueInfo(name: output, type: .float64, shape: nil)])
        do throws(GraphError) {
            let network = try GraphNetwork(ONNXModel(opset: 18, graph: graph))
            _ = try network.program(Float.self)
            return nil
        } catch { return error }
    }

    private func ints(_ name: String, _ values: [Int], shape: [Int]? = nil) -> ONNXTensor {
        ONNXTensor(name: name, shape: shape ?? [values.count], integers: values)
    }

    @Test func cyclesAndMissingNames() {
        let error = refusal([ONNXNode("Add", ["x", "b"], ["a"]), ONNXNode("Neg", ["a"], ["b"]), ONNXNode("Neg", ["b"], ["y"])])
        #expect(error?.reason == .invalid)
        #expect(error?.sentence.contains("\"b\"") ?? false)
        #expect(refusal([ONNXNode("Neg", ["nowhere"], ["y"])])?.reason == .invalid)
        #expect(refusal([], output: "z") != nil)
    }

    @Test func unknownOperatorsAreNamed() {
        let error = refusal([ONNXNode("Frobnicate", ["x"], ["y"], name: "the node")])
        #expect(error?.reason == .unsupported)
        #expect(error?.sentence.contains("the node") ?? false)
        #expect(error?.sentence.contains("Frobnicate") ?? false)
        #expect(refusal([ONNXNode("Relu", ["x"], ["y"], domain: "com.example")])?.reason == .unsupported)
    }

    @Test(arguments: [[Int.max, 2], [1 << 40, 1 << 40], [1 << 27, 1 << 27], [-3, 2], [1 << 62, 1 << 62, 2]])
    func hugeShapes(_ extents: [Int]) {
        let shape = ints("s", extents)
        for nodes in [
            [ONNXNode("Expand", ["x", "s"], ["y"])], [ONNXNode("Reshape", ["x", "s"], ["y"])],
            [ONNXNode("ConstantOfShape", ["s"], ["c"]), ONNXNode("Add", ["x", "c"], ["y"])], [ONNXNode("Tile", ["x", "s"], ["y"])],
        ] { #expect(refusal(nodes, [shape]) != nil) }
    }

    @Test func hugeProducts() {
        let wide = ints("s", [1 << 20, 1, 2, 2])
        let deep = ints("t", [1, 1 << 20, 2, 2])
        let nodes = [
            ONNXNode("Expand", ["x", "s"], ["a"]), ONNXNode("Expand", ["x", "t"], ["b"]), ONNXNode("MatMul", ["a", "b"], ["y"]),
        ]
        #expect(refusal(nodes, [wide, deep])?.reason == .tooLarge)
        let range = [ONNXNode("Range", ["from", "to", "by"], ["r"]), ONNXNode("Cast", ["r"], ["f"], attributes: ["to": .int(1)])]
        for (from, to, by) in [(0, Int.max, 1), (Int.min, Int.max, 1), (Int.max, Int.min, 1), (0, 5, 0)] {
            let constants = [ints("from", [from], shape: []), ints("to", [to], shape: []), ints("by", [by], shape: [])]
            #expect(refusal(range + [ONNXNode("Add", ["x", "f"], ["y"])], constants) != nil)
        }
    }

    @Test func hugeWindows() {
        let grid: [ONNXDimension] = [.dynamic("n"), .fixed(1), .fixed(2), .fixed(2)]
        let big = 1 << 24
        for attributes: [String: ONNXAttribute] in [
            ["kernel_shape": .ints([big, big]), "pads": .ints([big, big, big, big])],
            ["kernel_shape": .ints([1, 1]), "pads": .ints([big, big, big, big])],
            ["kernel_shape": .ints([0, 1])], ["kernel_shape": .ints([1, 1]), "strides": .ints([0, 1])], ["kernel_shape": .ints([1])],
            ["kernel_shape": .ints([2, 2]), "dilations": .ints([Int.max, 1])], ["kernel_shape": .ints([Int.max, Int.max])],
        ] {
            for operation in ["MaxPool", "AveragePool"] {
                #expect(refusal([ONNXNode(operation, ["x"], ["y"], attributes: attributes)], shape: grid) != nil)
            }
        }
    }

    @Test func endlessLoops() {
        let body = ONNXGraph(
            nodes: [ONNXNode("Identity", ["c"], ["d"]), ONNXNode("Neg", ["v"], ["w"])], initializers: [],
            inputs: ["i", "c", "v"].map { ONNXValueInfo(name: $0, type: nil, shape: nil) },
            outputs: ["d", "w"].map { ONNXValueInfo(name: $0, type: nil, shape: nil) })
        let loop = ONNXNode("Loop", ["m", "", "x"], ["y"], attributes: ["body": .graph(body)])
        #expect(refusal([loop], [ints("m", [1_000_000_000], shape: [])])?.reason == .tooLarge)
        #expect(refusal([loop], [ints("m", [3], shape: [])]) == nil)
    }

    @Test func oddAttributes() {
        let matrix: [ONNXDimension] = [.dynamic("n"), .fixed(2), .fixed(3)]
        for node in [
            ONNXNode("Transpose", ["x"], ["y"], attributes: ["perm": .ints([0, 0, 1])]),
            ONNXNode("Transpose", ["x"], ["y"], attributes: ["perm": .string("no")]),
            ONNXNode("Softmax", ["x"], ["y"], attributes: ["axis": .int(Int.min)]), ONNXNode("Concat", ["x", "x"], ["y"]),
            ONNXNode("Concat", [], ["y"], attributes: ["axis": .int(0)]), ONNXNode("Flatten", ["x"], ["y"], attributes: ["axis": .int(9)]),
            ONNXNode("Split", ["x"], ["y"], attributes: ["axis": .int(1), "num_outputs": .int(Int.max)]), ONNXNode("Gemm", ["x", "x"], ["y"]),
            ONNXNode("Cast", ["x"], ["y"], attributes: ["to": .int(8)]), ONNXNode("LSTM", ["x", "x", "x"], ["y"]), ONNXNode("Add", ["x"], ["y"]),
            ONNXNode("Einsum", ["x", "x"], ["y"], attributes: ["equation": .string("ab->->")]),
            ONNXNode("DepthToSpace", ["x"], ["y"], attributes: ["blocksize": .int(0)]),
            ONNXNode("Conv", ["x", "x"], ["y"], attributes: ["group": .int(0)]),
        ] { #expect(refusal([node], shape: matrix) != nil, "\(node.operation)") }
    }

    /// A parameter behind twenty thousand steps that do not depend on the point.
    @Test func longChains() throws {
        var nodes: [ONNXNode] = []
        var name = "w"
        for index in 0..<20_000 {
            nodes.append(ONNXNode("Neg", [name], ["c\(index)"]))
            name = "c\(index)"
        }
        nodes.append(ONNXNode("Add", ["x", name], ["y"]))
        let weight = ONNXTensor(name: "w", shape: [2], doubles: [1, 2])
        let graph = ONNXGraph(
            nodes: nodes, initializers: [weight], inputs: [input], outputs: [ONNXValueInfo(name: "y", type: .float64, shape: nil)])
        let program = try GraphNetwork(ONNXModel(opset: 18, graph: graph)).program(Double.self)
        let kernel = try program.tangentKernel(["x": NetworkInput(shape: [1, 2], .reals([0, 0]))])
        #expect(kernel.shape == [1, 1, 2, 2])
    }
}
