import ONNX
import Testing

/// Functions of single numbers and of two, against central differences.
struct ElementwiseOperatorTests {
    @Test(arguments: [
        "Sigmoid", "HardSwish", "Softplus", "Softsign", "Mish", "Erf", "Tanh", "Exp", "Neg", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh",
        "Gelu", "Celu", "Elu", "Selu", "LeakyRelu", "Relu", "Abs", "HardSigmoid", "ThresholdedRelu", "Shrink",
    ])
    func unary(_ name: String) throws {
        try OperatorCheck(name, [.point([1, 2, 5], -1.4...1.4)], opset: name == "Gelu" ? 20 : 18, seed: 3, spacing: 0.01).run()
    }

    @Test(arguments: ["Log", "Sqrt", "Reciprocal"]) func positive(_ name: String) throws {
        try OperatorCheck(name, [.point([1, 6], 0.3...2)]).run()
    }

    @Test(arguments: ["Asin", "Acos", "Atanh"]) func withinOne(_ name: String) throws {
        try OperatorCheck(name, [.point([1, 6], -0.9...0.9)]).run()
    }

    @Test func aboveOne() throws { try OperatorCheck("Acosh", [.point([1, 6], 1.2...2)]).run() }

    @Test func otherForms() throws {
        try OperatorCheck("Gelu", [.point([1, 7])], ["approximate": .string("tanh")], opset: 20).run()
        try OperatorCheck("Elu", [.point([1, 7])], ["alpha": .float(0.5)], spacing: 0.01).run()
        try OperatorCheck("LeakyRelu", [.point([1, 7])], ["alpha": .float(0.25)], spacing: 0.01).run()
        try OperatorCheck("Celu", [.point([1, 7])], ["alpha": .float(0.5)], spacing: 0.01).run()
        try OperatorCheck("HardSigmoid", [.point([1, 7], -4...4)], ["alpha": .float(0.25)], spacing: 0.01).run()
        try OperatorCheck("HardSwish", [.point([1, 9], -5...5)], spacing: 0.01).run()
        try OperatorCheck("Swish", [.point([1, 7])], ["alpha": .float(1.5)]).run()
    }

    /// Shapes that repeat on the left, on the right, in the middle and on both sides.
    static let shapes: [([Int], [Int])] = [
        ([1, 3, 4], [1, 3, 4]), ([1, 3, 4], [4]), ([1, 3, 4], [3, 1]), ([1, 3, 1], [1, 1, 4]), ([1, 4], [1, 2, 3, 4]), ([1, 2, 1, 3], [1, 4, 1]),
        ([1, 5], []),
    ]

    @Test(arguments: ["Add", "Sub", "Mul", "Div", "Max", "Min", "Mod"], shapes)
    func binary(_ name: String, _ shapes: ([Int], [Int])) throws {
        let attributes: [String: ONNXAttribute] = name == "Mod" ? ["fmod": .int(1)] : [:]
        for operands in [
            [OperatorCheck.Operand.point(shapes.0, 0.4...1.9), .weight(shapes.1, 0.5...1.7)],
            [.weight(shapes.1, 0.4...1.8), .point(shapes.0, 0.5...1.9)],
            [.point(shapes.0, 0.4...1.7), .point(shapes.1.isEmpty ? [1] : shapes.1, 0.4...1.8)],
        ] { try OperatorCheck(name, operands, attributes, seed: 5, spacing: 0.0011).run() }
    }

    @Test func power() throws {
        try OperatorCheck("Pow", [.point([1, 2, 3], 0.3...2), .point([1, 3], -1.5...2)]).run()
        try OperatorCheck("Pow", [.point([1, 2, 3], 0.3...2), .weight([3], -1.5...2)]).run()
        for exponent in [2.0, 0.5, 3, -1, 1] { try OperatorCheck("Pow", [.point([1, 5], 0.3...2), .reals([exponent], shape: [])]).run() }
        try OperatorCheck("Pow", [.point([1, 5]), .integers([3], shape: [])]).run()
    }

    @Test func variadic() throws {
        try OperatorCheck("Sum", [.point([1, 2, 3]), .weight([3]), .point([1, 3])]).run()
        try OperatorCheck("Mean", [.point([1, 2, 3]), .weight([3]), .point([1, 3])]).run()
        try OperatorCheck("Max", [.point([1, 2, 3]), .weight([3]), .point([1, 3])], seed: 2).run()
    }

    @Test func clip() throws {
        try OperatorCheck("Clip", [.point([1, 9], -2...2), .reals([-0.7], shape: []), .reals([0.9], shape: [])], spacing: 0.01).run()
        try OperatorCheck("Clip", [.point([1, 9], -2...2), .absent, .reals([0.9], shape: [])], spacing: 0.01).run()
    }

    @Test func prelu() throws {
        try OperatorCheck("PRelu", [.point([1, 3, 2, 2]), .weight([3, 1, 1])], spacing: 0.01).run()
    }

    @Test func choice() throws {
        try OperatorCheck("Where", [.booleans([1, 0, 1], shape: [3]), .point([1, 2, 3]), .weight([2, 1])]).run()
        try OperatorCheck("Where", [.booleans([1, 0], shape: [2, 1]), .weight([3]), .point([1, 1, 3])]).run()
    }
}
