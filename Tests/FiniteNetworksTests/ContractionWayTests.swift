import FiniteNetworks
import LinearAlgebra
import ONNX
import TestSupport
import Testing

/// Shares of weights that have ways of their own: they are those of their gradients.
struct ContractionWayTests {
    private static func tensor(_ name: String, _ shape: [Int], _ generator: inout SeededGenerator) -> ONNXTensor {
        ONNXTensor(name: name, shape: shape, doubles: (0..<shape.reduce(1, *)).map { _ in .random(in: -1...1, using: &generator) })
    }

    private static func points(_ n: Int, _ shape: [Int], _ generator: inout SeededGenerator) -> [String: NetworkInput] {
        let count = n * shape.reduce(1, *)
        return ["x": NetworkInput(shape: [n] + shape, .reals((0..<count).map { _ in .random(in: -1...1, using: &generator) }))]
    }

    private static func program(_ nodes: [ONNXNode], _ weights: [ONNXTensor], input: [Int]) throws -> NetworkProgram<Double> {
        let shape = [.dynamic("n")] + input.map(ONNXDimension.fixed)
        let graph = ONNXGraph(
            nodes: nodes, initializers: weights, inputs: [ONNXValueInfo(name: "x", type: .float64, shape: shape)],
            outputs: [ONNXValueInfo(name: "y", type: .float64, shape: nil)])
        return try GraphNetwork(ONNXModel(opset: 18, graph: graph)).program(Double.self)
    }

    /// Two convolutions, of which the second is followed by functions of single numbers, a pool and a mean over the places.
    @Test(arguments: ["Relu", "Tanh"])
    func lastConvolutionByChannels(_ function: String) throws {
        var generator = SeededGenerator(seed: 3)
        let weights = [
            Self.tensor("u", [3, 2, 3, 3], &generator), Self.tensor("v", [5, 3, 3, 3], &generator), Self.tensor("b", [5], &generator),
            Self.tensor("w", [4, 5], &generator),
        ]
        let pads = ONNXAttribute.ints([1, 1, 1, 1])
        let program = try Self.program(
            [
                ONNXNode("Conv", ["x", "u"], ["h1"], attributes: ["pads": pads]), ONNXNode(function, ["h1"], ["h2"]),
                ONNXNode("Conv", ["h2", "v", "b"], ["h3"], attributes: ["pads": pads]), ONNXNode(function, ["h3"], ["h4"]),
                ONNXNode("MaxPool", ["h4"], ["h5"], attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])]),
                ONNXNode("GlobalAveragePool", ["h5"], ["h6"]), ONNXNode("Flatten", ["h6"], ["h7"]),
                ONNXNode("Gemm", ["h7", "w"], ["y"], attributes: ["transB": .int(1)]),
            ], weights, input: [2, 6, 6])
        let (x1, x2) = (Self.points(5, [2, 6, 6], &generator), Self.points(3, [2, 6, 6], &generator))
        for outputs in [KernelOutputs.full, .diagonal, .sum] {
            var (gradients, channels) = (KernelQuestion(), KernelQuestion())
            (gradients.outputs, gradients.way) = (outputs, .gradients)
            (channels.outputs, channels.way) = (outputs, .channels)
            let costs = try [gradients, channels].map { try program.cost(40, nil, $0, blockBytes: 1 << 28).operations }
            #expect(costs[1] < costs[0])
            for (other, bytes) in [(nil, 1 << 28), (nil, 1), (x2, 1 << 28)] {
                let context = PassContext(executor: ConcurrentTiles(), blockBytes: bytes)
                let expected = try program.tangentKernel(x1, other, gradients, context).shares[0].numbers.elements
                let kernel = try program.tangentKernel(x1, other, channels, context).shares[0].numbers.elements
                #expect(relativeDistance(kernel, expected) < 1e-13, "\(outputs)")
            }
        }
    }

    /// A weight whose rows are put in another order before it is used twice is as good as one that has them in that order.
    @Test func rearrangedWeight() throws {
        var generator = SeededGenerator(seed: 4)
        let w = Self.tensor("w", [4, 4], &generator)
        var numbers = [Double](repeating: 0, count: 16)
        w.forEachReal { numbers[$0] = $1 }
        let other = ONNXTensor(name: "w", shape: [4, 4], doubles: Array(numbers[8...] + numbers[..<8]))
        let bounds = [0, 2, 4].map { ONNXTensor(name: "at\($0)", shape: [1], integers: [$0]) }
        let products = [
            ONNXNode("MatMul", ["x", "r"], ["h1"]), ONNXNode("Tanh", ["h1"], ["h2"]), ONNXNode("MatMul", ["h2", "r"], ["y"]),
        ]
        let rearranged = try Self.program(
            [
                ONNXNode("Slice", ["w", "at0", "at2"], ["a"]), ONNXNode("Slice", ["w", "at2", "at4"], ["b"]),
                ONNXNode("Concat", ["b", "a"], ["r"], attributes: ["axis": .int(0)]),
            ] + products, [w] + bounds, input: [4])
        let plain = try Self.program([ONNXNode("Identity", ["w"], ["r"])] + products, [other], input: [4])
        let points = Self.points(3, [4], &generator)
        for way in [PassPlan.Way.gradients, .grams] {
            for outputs in [KernelOutputs.full, .diagonal, .sum] {
                var question = KernelQuestion()
                (question.outputs, question.way) = (outputs, way)
                let kernel = try rearranged.tangentKernel(points, nil, question)
                let expected = try plain.tangentKernel(points, nil, question).shares[0].numbers.elements
                #expect(relativeDistance(kernel.shares[0].numbers.elements, expected) < 1e-13, "\(way) \(outputs)")
                #expect(kernel.byGrams == (way == .grams ? ["w"] : []))
            }
        }
    }

    /// A bias comes with its weight's Gram matrices, unless the share of each is asked for.
    @Test func biasWithItsWeight() throws {
        var generator = SeededGenerator(seed: 5)
        let weights = [Self.tensor("w", [6, 3], &generator), Self.tensor("b", [6], &generator), Self.tensor("v", [2, 6], &generator)]
        let program = try Self.program(
            [
                ONNXNode("Gemm", ["x", "w", "b"], ["h"], attributes: ["transB": .int(1)]), ONNXNode("Tanh", ["h"], ["t"]),
                ONNXNode("Gemm", ["t", "v"], ["y"], attributes: ["transB": .int(1)]),
            ], weights, input: [3])
        let points = Self.points(4, [3], &generator)
        for outputs in [KernelOutputs.full, .diagonal, .sum] {
            var (together, apart) = (KernelQuestion(), KernelQuestion())
            (together.outputs, together.way) = (outputs, .grams)
            (apart.outputs, apart.way, apart.isLayerwise) = (outputs, .gradients, true)
            let kernel = try program.tangentKernel(points, nil, together)
            let shares = try program.tangentKernel(points, nil, apart).shares
            var sum = [Double](repeating: 0, count: kernel.shares[0].numbers.count)
            for share in shares { for (index, number) in share.numbers.elements.enumerated() { sum[index] += number } }
            #expect(relativeDistance(kernel.shares[0].numbers.elements, sum) < 1e-13, "\(outputs)")
            #expect(kernel.byGrams == ["w", "b", "v"])
            together.parameters = ["w", "v"]
            let without = try program.tangentKernel(points, nil, together).shares[0].numbers.elements
            let share = shares.first { $0.parameter == "b" }?.numbers.elements ?? []
            #expect(relativeDistance(zip(without, share).map(+), sum) < 1e-13)
        }
    }
}
