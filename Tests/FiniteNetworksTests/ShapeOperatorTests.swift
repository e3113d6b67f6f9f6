import ONNX
import Testing

/// Operators that move numbers, against central differences.
struct ShapeOperatorTests {
    @Test func views() throws {
        try OperatorCheck("Transpose", [.point([1, 2, 3])], ["perm": .ints([2, 0, 1])]).run()
        try OperatorCheck("Transpose", [.point([1, 2, 3, 2])]).run()
        try OperatorCheck("Reshape", [.point([1, 2, 6]), .integers([0, -1, 3])]).run()
        try OperatorCheck("Flatten", [.point([1, 2, 3, 2])], ["axis": .int(-2)]).run()
        try OperatorCheck("Squeeze", [.point([1, 1, 3, 1]), .integers([-1, 1])]).run()
        try OperatorCheck("Unsqueeze", [.point([1, 3]), .integers([0, -1])]).run()
        try OperatorCheck("Expand", [.point([1, 3, 1]), .integers([2, 2, 1, 4])]).run()
        try OperatorCheck("Tile", [.point([1, 2, 3]), .integers([1, 2, 3])]).run()
        try OperatorCheck("Trilu", [.point([1, 3, 4]), .integers([1], shape: [])], ["upper": .int(0)]).run()
        try OperatorCheck("Identity", [.point([1, 3])]).run()
        try OperatorCheck("Dropout", [.point([1, 3]), .reals([0.5], shape: [])]).run()
        try OperatorCheck("Cast", [.point([1, 3])], ["to": .int(1)]).run()
    }

    @Test func slices() throws {
        try OperatorCheck("Slice", [.point([1, 5, 4]), .integers([1, 3]), .integers([5, Int.min]), .integers([1, 2]), .integers([2, -1])]).run()
        try OperatorCheck("Slice", [.point([1, 5]), .integers([-3]), .integers([Int.max]), .integers([1])]).run()
        try OperatorCheck("Slice", [.point([1, 5]), .integers([4]), .integers([0]), .integers([1]), .integers([-2])]).run()
        var split = OperatorCheck("Split", [.point([1, 7]), .integers([2, 5])], ["axis": .int(1)])
        split.outputs = 2
        try split.run()
        split = OperatorCheck("Split", [.point([1, 7])], ["axis": .int(-1), "num_outputs": .int(3)])
        split.outputs = 3
        try split.run()
    }

    @Test func joins() throws {
        try OperatorCheck("Concat", [.point([1, 2, 3]), .weight([1, 1, 3]), .point([1, 2, 3])], ["axis": .int(1)]).run()
        try OperatorCheck("Concat", [.point([1, 2, 3]), .weight([1, 2, 2])], ["axis": .int(-1)]).run()
    }

    @Test(arguments: ["constant", "edge", "reflect", "wrap"]) func pads(_ mode: String) throws {
        try OperatorCheck("Pad", [.point([1, 3, 4]), .integers([0, 1, 2, 0, 2, 3]), .reals([0.5], shape: [])], ["mode": .string(mode)], opset: 19)
            .run()
    }

    @Test func negativePads() throws {
        try OperatorCheck("Pad", [.point([1, 3, 4]), .integers([-1, 2, 0, -1]), .absent, .integers([1, 2])]).run()
    }

    @Test func gathers() throws {
        try OperatorCheck("Gather", [.weight([5, 3]), .indices([2, 2], -5..<5)]).run()
        try OperatorCheck("Gather", [.point([1, 4, 3]), .integers([2, 0, 2])], ["axis": .int(1)]).run()
        try OperatorCheck("Gather", [.point([1, 4, 3]), .integers([-1], shape: [])], ["axis": .int(2)]).run()
        try OperatorCheck("Gather", [.weight([2, 4, 3]), .indices([2], 0..<4)], ["axis": .int(1)]).run()
        try OperatorCheck("GatherElements", [.point([1, 3, 4]), .indices([1, 3, 2], -4..<4)], ["axis": .int(2)]).run()
        try OperatorCheck("GatherElements", [.weight([3, 4]), .indices([2, 4], 0..<3)], ["axis": .int(0)]).run()
        try OperatorCheck("GatherND", [.point([1, 3, 4]), .integers([0, 2, 0, 1, 0, -1], shape: [3, 2])]).run()
        try OperatorCheck("GatherND", [.point([2, 3, 4]), .indices([2, 2, 1], 0..<3)], ["batch_dims": .int(1)]).run()
    }

    @Test func sums() throws {
        for (exclusive, reverse) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            try OperatorCheck(
                "CumSum", [.point([1, 4, 2]), .integers([1], shape: [])], ["exclusive": .int(exclusive), "reverse": .int(reverse)]
            ).run()
        }
    }

    @Test(arguments: [
        "ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL2", "ReduceL1", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceMax",
        "ReduceMin",
    ])
    func reductions(_ name: String) throws {
        let range = name == "ReduceLogSum" ? 0.2...1.5 : -1.5...1.5
        try OperatorCheck(name, [.point([1, 2, 3, 2], range), .integers([1, -1])], ["keepdims": .int(0)], spacing: 0.01).run()
        try OperatorCheck(name, [.point([1, 2, 3], range), .integers([2])], spacing: 0.01).run()
        try OperatorCheck(name, [.point([1, 2, 3], range)], spacing: 0.01).run()
    }

    @Test(arguments: ["Softmax", "LogSoftmax"]) func softmax(_ name: String) throws {
        try OperatorCheck(name, [.point([1, 3, 4])]).run()
        try OperatorCheck(name, [.point([1, 3, 4])], ["axis": .int(1)]).run()
        try OperatorCheck(name, [.point([1, 2, 3])], ["axis": .int(1)], opset: 12).run()
    }

    @Test func normalizations() throws {
        try OperatorCheck("LayerNormalization", [.point([1, 2, 5]), .weight([5]), .weight([5])], ["epsilon": .float(0.01)]).run()
        try OperatorCheck("LayerNormalization", [.point([1, 3, 4]), .weight([3, 4])], ["axis": .int(1)]).run()
        try OperatorCheck("RMSNormalization", [.point([1, 2, 5]), .weight([5])], opset: 23).run()
        try OperatorCheck("InstanceNormalization", [.point([1, 2, 5]), .weight([2]), .weight([2])]).run()
        try OperatorCheck("GroupNormalization", [.point([1, 4, 3]), .weight([4]), .weight([4])], ["num_groups": .int(2)], opset: 21).run()
        try OperatorCheck("GroupNormalization", [.point([1, 4, 3]), .weight([2]), .weight([2])], ["num_groups": .int(2)]).run()
        try OperatorCheck(
            "BatchNormalization",
            [.point([1, 2, 3]), .weight([2]), .weight([2]), .reals([0.3, -0.2], shape: [2]), .reals([1.5, 0.7], shape: [2])]
        ).run()
    }

    /// A sample may have several tensors along the axis that counts samples elsewhere, such as the frames of a film.
    @Test func batchNormalizationOfFoldedAxes() throws {
        try OperatorCheck(
            "BatchNormalization",
            [.point([2, 2, 3]), .weight([2]), .weight([2]), .reals([0.3, -0.2], shape: [2]), .reals([1.5, 0.7], shape: [2])]
        ).run()
    }

    @Test(arguments: ["RNN", "GRU", "LSTM"], ["forward", "reverse", "bidirectional"])
    func recurrent(_ name: String, _ direction: String) throws {
        let gates = name == "LSTM" ? 4 : name == "GRU" ? 3 : 1
        let (d, n, width) = (direction == "bidirectional" ? 2 : 1, 2, 2)
        let operands: [OperatorCheck.Operand] = [
            .point([3, 1, width]), .weight([d, gates * n, width], -0.8...0.8), .weight([d, gates * n, n], -0.8...0.8),
            .weight([d, 2 * gates * n], -0.5...0.5), .integers([2]), .point([d, 1, n]),
        ]
        var check = OperatorCheck(name, operands, ["hidden_size": .int(n), "direction": .string(direction)])
        check.outputs = 2
        try check.run()
        check = OperatorCheck(name, Array(operands[..<3]), ["hidden_size": .int(n), "direction": .string(direction), "layout": .int(1)])
        check.operands[0] = .point([1, 3, width])
        try check.run()
        if name == "LSTM" {
            check = OperatorCheck(
                name, operands + [.point([d, 1, n]), .weight([d, 3 * n])], ["hidden_size": .int(n), "direction": .string(direction)])
            check.outputs = 3
            check.operands[4] = .indices([1], 1..<4)
            try check.run()
        }
        if name == "GRU" {
            check = OperatorCheck(name, operands, ["hidden_size": .int(n), "direction": .string(direction), "linear_before_reset": .int(1)])
            try check.run()
        }
    }
}
