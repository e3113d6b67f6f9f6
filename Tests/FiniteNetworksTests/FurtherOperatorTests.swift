import FiniteNetworks
import ONNX
import Testing

/// Operators that fewer exporters write, against central differences.
struct FurtherOperatorTests {
    @Test func scatters() throws {
        for reduction in ["none", "add", "mul", "max", "min"] {
            let attributes: [String: ONNXAttribute] = ["reduction": .string(reduction)]
            try OperatorCheck("ScatterND", [.point([1, 4, 3]), .integers([0, 2, 0, 0], shape: [2, 2]), .point([2, 3])], attributes).run()
            try OperatorCheck("ScatterND", [.weight([4, 2]), .integers([3, 1], shape: [2, 1]), .point([2, 2])], attributes).run()
            var axis = attributes
            axis["axis"] = .int(1)
            try OperatorCheck("ScatterElements", [.point([1, 4, 3]), .integers([2, 0, 1, 3], shape: [1, 2, 2]), .point([1, 2, 2])], axis).run()
        }
    }

    @Test(arguments: ["nearest", "linear", "cubic"], ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"])
    func resize(_ mode: String, _ coordinates: String) throws {
        let attributes: [String: ONNXAttribute] = ["mode": .string(mode), "coordinate_transformation_mode": .string(coordinates)]
        try OperatorCheck("Resize", [.point([1, 1, 3, 4]), .absent, .reals([1, 1, 2, 1.5], shape: [4])], attributes).run()
        try OperatorCheck("Resize", [.point([1, 1, 3, 4]), .absent, .absent, .integers([1, 1, 2, 5])], attributes).run()
    }

    @Test func depths() throws {
        try OperatorCheck("DepthToSpace", [.point([1, 8, 1, 2])], ["blocksize": .int(2)]).run()
        try OperatorCheck("DepthToSpace", [.point([1, 8, 1, 2])], ["blocksize": .int(2), "mode": .string("CRD")]).run()
        try OperatorCheck("SpaceToDepth", [.point([1, 2, 2, 4])], ["blocksize": .int(2)]).run()
    }

    static let equations: [(String, [[Int]])] = [
        ("bij,jk->bik", [[1, 2, 3], [3, 2]]), ("bhqd,bhkd->bhqk", [[1, 2, 2, 3], [1, 2, 3, 3]]), ("bij->bji", [[1, 2, 3]]), ("bij->b", [[1, 2, 3]]),
        ("bi,j->bij", [[1, 3], [2]]), ("bi,ij,bj->b", [[1, 3], [3, 2], [1, 2]]), ("...ij,jk->...ik", [[1, 2, 2, 3], [3, 2]]),
        ("bi,bi", [[1, 3], [1, 3]]),
        ("bij,bkj->bikj", [[1, 2, 3], [1, 2, 3]]),
    ]

    @Test(arguments: equations) func einsum(_ equation: String, _ shapes: [[Int]]) throws {
        let operands = shapes.enumerated().map { index, shape in index == 0 || shape[0] == 1 ? OperatorCheck.Operand.point(shape) : .weight(shape) }
        try OperatorCheck("Einsum", operands, ["equation": .string(equation)]).run()
    }

    @Test func attention() throws {
        try OperatorCheck("Attention", [.point([1, 2, 3, 2]), .point([1, 2, 3, 2]), .point([1, 2, 3, 2])], ["is_causal": .int(1)], opset: 23).run()
        try OperatorCheck(
            "Attention", [.point([1, 3, 4]), .point([1, 2, 2]), .weight([1, 2, 2]), .reals([0, -1, 0.5, 0, 0, 1], shape: [3, 2])],
            ["q_num_heads": .int(2), "kv_num_heads": .int(1), "softcap": .float(3), "scale": .float(0.5)], opset: 23
        ).run()
    }

    @Test func rotations() throws {
        let (cosine, sine) = (OperatorCheck.Operand.weight([1, 3, 2]), OperatorCheck.Operand.weight([1, 3, 2]))
        try OperatorCheck("RotaryEmbedding", [.point([1, 2, 3, 4]), cosine, sine], opset: 23).run()
        try OperatorCheck("RotaryEmbedding", [.point([1, 3, 8]), cosine, sine], ["num_heads": .int(2), "interleaved": .int(1)], opset: 23).run()
        try OperatorCheck(
            "RotaryEmbedding", [.point([1, 1, 3, 6]), .weight([5, 2]), .weight([5, 2]), .integers([0, 4, 2], shape: [1, 3])],
            ["rotary_embedding_dim": .int(4)], opset: 23
        ).run()
    }

    @Test func composites() throws {
        try OperatorCheck("LpNormalization", [.point([1, 2, 3])], ["axis": .int(1)]).run()
        try OperatorCheck("LpNormalization", [.point([1, 2, 3])], ["p": .int(1)], spacing: 0.01).run()
        try OperatorCheck("MeanVarianceNormalization", [.point([1, 2, 2, 3])]).run()
        try OperatorCheck("GlobalLpPool", [.point([1, 2, 2, 3])]).run()
        try OperatorCheck("LRN", [.point([1, 5, 2])], ["size": .int(3), "alpha": .float(0.7), "beta": .float(0.6)]).run()
        try OperatorCheck("OneHot", [.indices([1, 3], -4..<4), .integers([4], shape: []), .weight([2])]).run()
    }
}

/// Values that ONNX's own cases fix, where derivatives say nothing or a shape is unusual.
struct OperatorValueTests {
    private func outputs(
        _ operation: String, _ shape: [Int], _ numbers: [Double], _ constants: [ONNXTensor] = [], _ attributes: [String: ONNXAttribute] = [:],
        outputs: [String] = ["y"]
    ) throws -> [Double] {
        let input = ONNXValueInfo(name: "x", type: .float64, shape: [.dynamic("n")] + shape.dropFirst().map { .fixed($0) })
        let graph = ONNXGraph(
            nodes: [ONNXNode(operation, ["x"] + constants.map(\.name), outputs, attributes: attributes)], initializers: constants, inputs: [input],
            outputs: [ONNXValueInfo(name: "y", type: .float64, shape: nil)])
        return try GraphNetwork(ONNXModel(opset: 18, graph: graph)).program(Double.self).outputs(["x": NetworkInput(shape: shape, .reals(numbers))])
    }

    @Test func aLowerBoundAboveTheUpperOne() throws {
        let bounds = [ONNXTensor(name: "low", shape: [], doubles: [2]), ONNXTensor(name: "high", shape: [], doubles: [1])]
        #expect(try outputs("Clip", [1, 3], [-2, 0, 6], bounds) == [1, 1, 1])
    }

    @Test func hardmaxTakesTheFirstLargest() throws {
        #expect(try outputs("Hardmax", [1, 4], [3, 0, 3, 2]) == [1, 0, 0, 0])
    }

    @Test func aTransposedConvolutionFillsAWantedShape() throws {
        let weight = ONNXTensor(name: "w", shape: [1, 1, 2], doubles: [1, 1])
        let y = try outputs("ConvTranspose", [1, 1, 2], [1, 2], [weight], ["strides": .ints([2]), "output_shape": .ints([5])])
        #expect(y == [1, 1, 2, 2, 0])
    }

    @Test func outputsThatNobodyReads() throws {
        let scale = ONNXTensor(name: "s", shape: [2], doubles: [1, 1])
        #expect(
            try outputs("LayerNormalization", [1, 2], [1, 3], [scale], ["epsilon": .float(0)], outputs: ["y", "mean", "deviation"]) == [-1, 1])
    }
}
