import ONNX
import Testing

/// Products and convolutions, against central differences.
struct LinearOperatorTests {
    static let factors: [([Int], [Int])] = [
        ([1, 3], [3, 2]), ([1, 2, 3], [3, 2]), ([1, 2, 2, 3], [2, 3, 2]), ([1, 2, 3], [4, 3, 2]), ([1, 3, 2, 3], [1, 1, 3, 2]), ([1, 3], [3]),
    ]

    @Test(arguments: factors) func matMul(_ shapes: ([Int], [Int])) throws {
        try OperatorCheck("MatMul", [.point(shapes.0), .weight(shapes.1)]).run()
        try OperatorCheck("MatMul", [.point(shapes.0), .point(shapes.1)]).run()
    }

    @Test func matMulOfAWeightOnTheLeft() throws {
        try OperatorCheck("MatMul", [.weight([4, 2]), .point([1, 2, 3])]).run()
        try OperatorCheck("MatMul", [.weight([2]), .point([1, 2, 3])]).run()
    }

    @Test(arguments: [(0, 0), (0, 1), (1, 0), (1, 1)]) func gemm(_ transposed: (Int, Int)) throws {
        let a = transposed.0 == 1 ? [3, 1] : [1, 3]
        let b = transposed.1 == 1 ? [2, 3] : [3, 2]
        let attributes: [String: ONNXAttribute] = [
            "transA": .int(transposed.0), "transB": .int(transposed.1), "alpha": .float(0.5), "beta": .float(1.5),
        ]
        try OperatorCheck("Gemm", [.point(a), .weight(b), .weight([2])], attributes).run()
        try OperatorCheck("Gemm", [.point(a), .point(b), .point([1, 2])], attributes).run()
        try OperatorCheck("Gemm", [.point(a), .weight(b)], attributes).run()
    }

    @Test func convolutionsOfOneToThreeAxes() throws {
        try OperatorCheck("Conv", [.point([1, 2, 7]), .weight([3, 2, 3]), .weight([3])], ["pads": .ints([2, 1]), "strides": .ints([2])]).run()
        try OperatorCheck("Conv", [.point([1, 2, 4, 5]), .weight([3, 2, 2, 3])], ["pads": .ints([1, 0, 0, 2]), "dilations": .ints([1, 2])]).run()
        try OperatorCheck("Conv", [.point([1, 1, 3, 3, 4]), .weight([2, 1, 2, 2, 2])], ["strides": .ints([1, 2, 1])]).run()
        try OperatorCheck("Conv", [.point([1, 3, 3, 3]), .weight([2, 3, 1, 1]), .weight([2])]).run()
        try OperatorCheck("Conv", [.point([1, 2, 5, 5]), .weight([2, 2, 3, 3])], ["auto_pad": .string("SAME_UPPER"), "strides": .ints([2, 2])]).run()
        try OperatorCheck("Conv", [.point([1, 2, 4]), .point([2, 2, 3])]).run()
    }

    @Test func convolutionsInGroups() throws {
        try OperatorCheck("Conv", [.point([1, 4, 4, 3]), .weight([4, 1, 3, 3])], ["group": .int(4), "pads": .ints([1, 1, 1, 1])]).run()
        try OperatorCheck("Conv", [.point([1, 4, 3, 3]), .weight([6, 2, 2, 2]), .weight([6])], ["group": .int(2)]).run()
        try OperatorCheck("Conv", [.point([1, 2, 6]), .weight([4, 1, 3])], ["group": .int(2), "strides": .ints([2])]).run()
    }

    @Test func transposedConvolutions() throws {
        try OperatorCheck("ConvTranspose", [.point([1, 3, 4]), .weight([3, 2, 3]), .weight([2])], ["strides": .ints([2]), "pads": .ints([1, 0])])
            .run()
        try OperatorCheck(
            "ConvTranspose", [.point([1, 2, 2, 3]), .weight([2, 2, 3, 2])],
            ["strides": .ints([2, 1]), "output_padding": .ints([1, 0]), "dilations": .ints([1, 2])]
        ).run()
        try OperatorCheck("ConvTranspose", [.point([1, 4, 3]), .weight([4, 1, 2])], ["group": .int(2)]).run()
        try OperatorCheck("ConvTranspose", [.point([1, 2, 3]), .weight([2, 2, 3])], ["auto_pad": .string("SAME_UPPER"), "strides": .ints([2])]).run()
    }

    @Test func pools() throws {
        try OperatorCheck(
            "MaxPool", [.point([1, 2, 5, 5])], ["kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "pads": .ints([1, 0, 1, 1])], spacing: 0.01
        ).run()
        try OperatorCheck(
            "MaxPool", [.point([1, 2, 6])], ["kernel_shape": .ints([2]), "dilations": .ints([2]), "ceil_mode": .int(1), "strides": .ints([3])],
            spacing: 0.01
        ).run()
        for pads in [0, 1] {
            try OperatorCheck(
                "AveragePool", [.point([1, 2, 5, 4])],
                ["kernel_shape": .ints([3, 2]), "strides": .ints([2, 2]), "pads": .ints([1, 0, 1, 1]), "count_include_pad": .int(pads)]
            ).run()
            try OperatorCheck(
                "AveragePool", [.point([1, 1, 6])],
                ["kernel_shape": .ints([3]), "strides": .ints([2]), "ceil_mode": .int(1), "count_include_pad": .int(pads)]
            ).run()
        }
        try OperatorCheck("GlobalAveragePool", [.point([1, 2, 3, 3])]).run()
        try OperatorCheck("GlobalMaxPool", [.point([1, 2, 3, 3])], spacing: 0.01).run()
    }
}
