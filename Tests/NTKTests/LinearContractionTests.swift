import LinearAlgebra
import TestSupport
import Testing

@testable import Architecture
@testable import EmpiricalKernels

/// A layer's share of the kernel by both algorithms against the Gram matrix of the gradients themselves.
struct LinearContractionTests {
    struct Layer: Sendable, CustomTestStringConvertible {
        var positions = 1
        var taps: [Int32]?
        var window = 1
        var isLocal = false
        var hasBias = true
        /// Whether weights and bias add to one kernel.
        var isJoint = true
        /// Whether derivatives are the same at every point, as in a network that is linear.
        var isShared = false
        var testDescription: String {
            "\(positions) positions, window \(window)\(isLocal ? ", local" : "")\(isJoint ? "" : ", apart")\(isShared ? ", shared" : "")"
        }
    }

    private static let outputs = 3, channels = 4, inputs = 2
    private static let weightScale = 0.7, biasScale = 0.3

    static let layers = [
        Layer(), Layer(isJoint: false), Layer(hasBias: false), Layer(isShared: true), Layer(isJoint: false, isShared: true),
        Layer(positions: 3), Layer(positions: 3, isJoint: false), Layer(positions: 3, hasBias: false),
        // Windows of two taps over three positions, of which the last sees nothing behind the edge.
        Layer(positions: 3, taps: [0, 1, 1, 2, 2, -1], window: 2), Layer(positions: 3, taps: [0, 1, 1, 2, 2, -1], window: 2, isLocal: true),
    ]

    /// The cases that differ in how entries of a pair are summed.
    static let forms: [OutputSelection.Form] = [.trace, .diagonal, .full]

    @Test(arguments: layers, forms) func sharesAreGramMatricesOfGradients(layer: Layer, form: OutputSelection.Form) throws {
        for algorithm in ContractionAlgorithm.allCases where !layer.isLocal || algorithm == .structured {
            try check(layer, form, algorithm, rows: 5, columns: 4)
        }
    }

    private func check(_ layer: Layer, _ form: OutputSelection.Form, _ algorithm: ContractionAlgorithm, rows: Int, columns: Int) throws {
        let (outputs, positions) = (Self.outputs, layer.positions)
        let step = LayerProgram.LinearStep(
            taps: layer.taps, window: layer.window, inputChannels: Self.inputs, outputChannels: Self.channels, inputPositions: positions,
            outputPositions: positions, weight: 0, bias: layer.hasBias ? 1 : nil, weightScale: Self.weightScale, biasScale: Self.biasScale,
            isLocal: layer.isLocal)
        func numbers(_ count: Int, _ seed: UInt64) -> [Double] { Matrix.random(1, count, seed: seed).elements }
        func storage(_ values: [Double]) -> Storage<Double> {
            let result = Storage<Double>(count: values.count)
            for (index, value) in values.enumerated() { result.set(index, value) }
            return result
        }
        let size = outputs * positions * Self.channels
        let shared = numbers(size, 3)
        func side(_ count: Int, _ seed: UInt64) -> (input: [Double], derivatives: [Double], side: LinearContraction<Double>.Side) {
            let input = numbers(count * positions * Self.inputs, seed)
            let derivatives = layer.isShared ? shared : numbers(count * size, seed + 1)
            return (
                input, derivatives,
                .init(input: storage(input), cotangent: Cotangent(storage: storage(derivatives), isShared: layer.isShared), count: count)
            )
        }
        let (left, right) = (side(rows, 10), side(columns, 20))

        func tiles() -> KernelTiles<Double> { KernelTiles(rows: rows, columns: columns, isSymmetric: false, form: form, outputs: outputs) }
        let weight = tiles()
        let bias = layer.hasBias ? (layer.isJoint ? weight : tiles()) : nil
        let contraction = LinearContraction(
            step: step, first: left.side, second: right.side, outputs: outputs, weight: weight, bias: bias, isJoint: layer.hasBias && layer.isJoint)
        // Gradients a channel at a time, so that their sums are of several parts.
        try contraction.add(algorithm, gradientBytes: 1, on: SerialTiles())

        /// The gradient of an output with respect to the weights and to the bias.
        func gradient(_ of: (input: [Double], derivatives: [Double], side: LinearContraction<Double>.Side), _ point: Int, _ output: Int)
            -> (weight: [Double], bias: [Double])
        {
            let patch = layer.window * Self.inputs
            let weights = Self.channels * patch
            let places = layer.isLocal ? positions : 1
            var (weight, bias) = ([Double](repeating: 0, count: places * weights), [Double](repeating: 0, count: places * Self.channels))
            for position in 0..<positions {
                for channel in 0..<Self.channels {
                    let start = layer.isShared ? 0 : point * size
                    let derivative = of.derivatives[start + (output * positions + position) * Self.channels + channel]
                    bias[(layer.isLocal ? position : 0) * Self.channels + channel] += Self.biasScale * derivative
                    for tap in 0..<layer.window {
                        let source = layer.taps.map { Int($0[position * layer.window + tap]) } ?? position
                        guard source >= 0 else { continue }
                        for input in 0..<Self.inputs {
                            let index = (layer.isLocal ? position * weights : 0) + channel * patch + tap * Self.inputs + input
                            weight[index] += Self.weightScale * derivative * of.input[(point * positions + source) * Self.inputs + input]
                        }
                    }
                }
            }
            return (weight, bias)
        }
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

        func values(_ tiles: KernelTiles<Double>) throws -> Matrix<Double> {
            let kernel = Matrix<Double>(zeroRows: rows, columns: columns * KernelTiles<Double>.entries(form, outputs))
            try tiles.store(kernel, at: (0, 0), factor: 1, mirrored: false, on: SerialTiles())
            return kernel
        }
        func expected(_ row: Int, _ column: Int, _ part: ((weight: [Double], bias: [Double])) -> [Double]) -> [Double] {
            func entry(_ a: Int, _ b: Int) -> Double { product(part(gradient(left, row, a)), part(gradient(right, column, b))) }
            return switch form {
            case .trace: [(0..<outputs).reduce(0) { $0 + entry($1, $1) }]
            case .diagonal: (0..<outputs).map { entry($0, $0) }
            case .full: (0..<outputs).flatMap { a in (0..<outputs).map { entry(a, $0) } }
            }
        }
        func compare(_ kernel: Matrix<Double>, _ part: ((weight: [Double], bias: [Double])) -> [Double]) {
            for row in 0..<rows {
                for column in 0..<columns {
                    let own = expected(row, column, part)
                    for (index, value) in own.enumerated() {
                        #expect(abs(kernel[row, column * own.count + index] - value) < 1e-12, "\(algorithm) \(row) \(column) \(index)")
                    }
                }
            }
        }
        if layer.hasBias && layer.isJoint {
            compare(try values(weight)) { $0.weight + $0.bias }
        } else {
            compare(try values(weight)) { $0.weight }
            if let bias { compare(try values(bias)) { $0.bias } }
        }
    }
}
