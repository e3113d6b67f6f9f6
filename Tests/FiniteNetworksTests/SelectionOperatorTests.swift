import FiniteNetworks
import LinearAlgebra
import ONNX
import Testing

/// Operators that choose, sort, sample or repeat, and the file's own functions, against central differences and against what they are made of.
struct SelectionOperatorTests {
    @Test(arguments: [true, false])
    func topK(_ isLargest: Bool) throws {
        let attributes: [String: ONNXAttribute] = ["axis": .int(1), "largest": .int(isLargest ? 1 : 0)]
        try OperatorCheck("TopK", [.point([1, 5, 2]), .integers([3])], attributes, spacing: 0.05).run()
        try OperatorCheck("TopK", [.point([1, 4]), .integers([4])], attributes, spacing: 0.05).run()
    }

    @Test func reversedSequences() throws {
        try OperatorCheck("ReverseSequence", [.point([4, 1, 2]), .integers([3])]).run()
        try OperatorCheck("ReverseSequence", [.point([1, 5]), .indices([1], 1..<6)], ["batch_axis": .int(0), "time_axis": .int(1)]).run()
    }

    @Test func compress() throws {
        try OperatorCheck("Compress", [.point([1, 3, 2]), .booleans([1, 0, 1], shape: [3])], ["axis": .int(1)]).run()
        try OperatorCheck("Compress", [.point([2, 3]), .booleans([0, 1, 1, 0, 1], shape: [5])]).run()
    }

    @Test(arguments: ["zeros", "border", "reflection"], [0, 1])
    func gridSample(_ padding: String, _ aligned: Int) throws {
        let attributes: [String: ONNXAttribute] = ["padding_mode": .string(padding), "align_corners": .int(aligned)]
        try OperatorCheck("GridSample", [.point([1, 2, 3, 4]), .point([1, 2, 2, 2], -1.4...1.4)], attributes, opset: 20, seed: 3).run()
        try OperatorCheck("GridSample", [.point([1, 1, 2, 3, 2]), .point([1, 1, 1, 2, 3], -1.2...1.2)], attributes, opset: 20, seed: 4).run()
        var nearest = attributes
        nearest["mode"] = .string("nearest")
        try OperatorCheck("GridSample", [.point([1, 2, 3, 3]), .reals([-0.8, 0.1, 0.7, 1.3], shape: [1, 1, 2, 2])], nearest, opset: 16).run()
    }

    @Test func affineGrid() throws {
        for aligned in [0, 1] {
            try OperatorCheck(
                "AffineGrid", [.point([1, 2, 3]), .integers([1, 2, 3, 2])], ["align_corners": .int(aligned)], opset: 20
            ).run()
        }
        try OperatorCheck("AffineGrid", [.point([1, 3, 4]), .integers([1, 1, 2, 1, 2])], opset: 20).run()
    }

    @Test(arguments: [1, 2, 3])
    func normPools(_ order: Int) throws {
        let attributes: [String: ONNXAttribute] = [
            "p": .int(order), "kernel_shape": .ints([2, 2]), "strides": .ints([1, 2]), "pads": .ints([0, 1, 0, 1]),
        ]
        try OperatorCheck("LpPool", [.point([1, 2, 3, 3])], attributes).run()
    }

    @Test func folds() throws {
        let attributes: [String: ONNXAttribute] = ["strides": .ints([2, 1]), "pads": .ints([1, 0, 1, 0])]
        try OperatorCheck("Col2Im", [.point([1, 8, 6]), .integers([4, 3]), .integers([2, 2])], attributes).run()
    }

    @Test func dequantized() throws {
        try OperatorCheck(
            "DequantizeLinear", [.indices([1, 2, 3], -8..<8), .weight([3]), .integers([1, 0, 2])], ["axis": .int(2)], opset: 21
        ).run()
        try OperatorCheck(
            "DequantizeLinear", [.indices([1, 3, 2], -8..<8), .weight([1, 2, 2])], ["axis": .int(1), "block_size": .int(2)], opset: 21
        ).run()
        try OperatorCheck("DequantizeLinear", [.indices([1, 4], -8..<8), .weight([1])], opset: 21).run()
    }

    @Test func attentionWithPast() throws {
        for causal in [0, 1] {
            try OperatorCheck(
                "Attention",
                [
                    .point([1, 2, 2, 3]), .point([1, 2, 2, 3]), .point([1, 2, 2, 2]), .absent, .weight([1, 2, 3, 3]), .weight([1, 2, 3, 2]),
                ], ["is_causal": .int(causal)], opset: 23
            ).run()
        }
    }

    /// h ← tanh(h + x_t) from both ends, with rows at another axis.
    @Test(arguments: [0, 1])
    func scan(_ direction: Int) throws {
        let body = ONNXGraph(
            nodes: [
                ONNXNode("Add", ["h", "x"], ["s"]), ONNXNode("Tanh", ["s"], ["next"]), ONNXNode("Mul", ["next", "x"], ["row"]),
            ], initializers: [],
            inputs: ["h", "x"].map { ONNXValueInfo(name: $0, type: .float64, shape: nil) },
            outputs: ["next", "row"].map { ONNXValueInfo(name: $0, type: .float64, shape: nil) })
        var check = OperatorCheck(
            "Scan", [.weight([2]), .point([1, 3, 2])],
            [
                "body": .graph(body), "num_scan_inputs": .int(1), "scan_input_axes": .ints([1]), "scan_input_directions": .ints([direction]),
                "scan_output_axes": .ints([1]), "scan_output_directions": .ints([1 - direction]),
            ])
        check.outputs = 2
        // x_t is [1, 2]: the state takes its shape in the first turn.
        try check.run()
    }

    /// A file's own operator, with an attribute, a default and an input that is left out, is what it stands for.
    @Test func functions() throws {
        func function(_ name: String, _ nodes: [ONNXNode], _ inputs: [String], _ defaults: [String: ONNXAttribute] = [:]) -> ONNXFunction {
            ONNXFunction(name, domain: "own", inputs: inputs, outputs: ["y"], defaults: defaults, nodes: nodes, opset: 18)
        }
        let inner = function(
            "Sharp", [ONNXNode("LeakyRelu", ["x"], ["y"], attributes: ["alpha": .reference("slope")])], ["x"], ["slope": .float(0.5)])
        let outer = function(
            "Layer",
            [
                ONNXNode("Gemm", ["x", "W", "b"], ["u"], attributes: ["transB": .int(1)]), ONNXNode("Sharp", ["u"], ["v"], domain: "own"),
                ONNXNode("Sharp", ["v"], ["y"], domain: "own", attributes: ["slope": .reference("alpha")]),
            ], ["x", "W", "b"])
        let call = ONNXNode("Layer", ["x", "W"], ["y"], domain: "own", attributes: ["alpha": .float(0.25)])
        let plain = [
            ONNXNode("Gemm", ["x", "W"], ["u"], attributes: ["transB": .int(1)]),
            ONNXNode("LeakyRelu", ["u"], ["v"], attributes: ["alpha": .float(0.5)]),
            ONNXNode("LeakyRelu", ["v"], ["y"], attributes: ["alpha": .float(0.25)]),
        ]
        func kernel(_ nodes: [ONNXNode], _ functions: [ONNXFunction]) throws -> [Double] {
            let graph = ONNXGraph(
                nodes: nodes, initializers: [ONNXTensor(name: "W", shape: [2, 3], doubles: [1, -2, 0.5, -0.3, 0.7, 1.1])],
                inputs: [ONNXValueInfo(name: "x", type: .float64, shape: [.dynamic("n"), .fixed(3)])],
                outputs: [ONNXValueInfo(name: "y", type: .float64, shape: nil)])
            let program = try GraphNetwork(ONNXModel(opset: 18, graph: graph, functions: functions)).program(Double.self)
            return try program.tangentKernel(["x": NetworkInput(shape: [2, 3], .reals([0.3, -1, 2, 0.1, 0.4, -0.7]))]).shares[0].numbers.elements
        }
        #expect(try kernel([call], [inner, outer]) == kernel(plain, []))
        // One that calls itself ends.
        let endless = function("Sharp", [ONNXNode("Sharp", ["x"], ["y"], domain: "own")], ["x"])
        #expect(throws: GraphError.self) { try kernel([call], [endless, outer]) }
        // It sees none of the graph's own values.
        let prying = function("Sharp", [ONNXNode("Add", ["x", "W"], ["y"])], ["x"])
        #expect(throws: GraphError.self) { try kernel([call], [prying, outer]) }
    }
}
