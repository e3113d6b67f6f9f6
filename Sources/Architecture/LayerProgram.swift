package import Activations
import LinearAlgebra

/// A finite network as a list of operations on batches of points.
///
/// Value 0 is the input; instruction k makes value k + 1 of earlier values. A value of a point is an array [positions, channels], row-major.
package struct LayerProgram: Sendable {
    package struct Value: Sendable, Equatable {
        package var spatial: [Int]
        package var channels: Int

        package var positions: Int { spatial.clampedProduct }
        package var size: Int { positions.multipliedClamped(by: channels) }
    }

    package enum Operation: Sendable {
        /// An affine map of what a window of positions holds: dense layers and all convolutions.
        case linear(LinearStep)
        /// A constant sparse map of positions: pools, resizing, picking.
        case map(SpatialMap)
        case activation(Activation)
        case sum
        case product
        /// The inputs side by side: each is [outer, length].
        case concatenate(outer: Int, lengths: [Int])
        /// [positions, channels] to [channels, positions].
        case transpose
        /// The same elements under another shape.
        case reshape
        /// (x − mean) / √(variance + ε) over each group of elements.
        case normalize(groups: [Int32], groupCount: Int, epsilon: Double)
        /// γ x + β, element e with the parameters' elements `places[e]`.
        case scale(weight: Int?, bias: Int?, places: [Int32])
        /// A parameter times a factor, the same for every point; no input.
        case embedding(parameter: Int, factor: Double)
        /// Queries and keys [P, heads · d] to scores [heads · P, P], factor · q·k.
        case scores(heads: Int, factor: Double)
        /// Along the channels.
        case softmax
        /// Scores [heads · P, P] and values [P, heads · d] to [P, heads · d].
        case attend(heads: Int)
        /// x ← Aᵀ x over groups of positions, with the adjacency of each point.
        case aggregate(groups: [[Int]])
    }

    /// f = weightScale · W patch + biasScale · b at each output position.
    package struct LinearStep: Sendable {
        /// The input position of each tap at each output position, -1 beyond the edge; nil: one tap, the position itself.
        package var taps: [Int32]?
        /// Taps of a window.
        package var window: Int
        package var inputChannels, outputChannels: Int
        package var inputPositions, outputPositions: Int
        package var weight: Int
        package var bias: Int?
        package var weightScale, biasScale: Double
        /// Weights of its own at every position.
        package var isLocal: Bool

        /// Numbers in a patch.
        package var patch: Int { window * inputChannels }
        /// Whether positions do not meet in the weights' gradient: one position, or weights of its own at each.
        package var isAligned: Bool { isLocal || outputPositions == 1 }
    }

    package struct Instruction: Sendable {
        package var operation: Operation
        package var inputs: [Int]

        /// Its parameters.
        package var parameters: [Int] {
            switch operation {
            case .linear(let step): [step.weight] + (step.bias.map { [$0] } ?? [])
            case .scale(let weight, let bias, _): [weight, bias].compactMap { $0 }
            case .embedding(let parameter, _): [parameter]
            default: []
            }
        }
    }

    package var values: [Value]
    package var instructions: [Instruction] = []
    package var parameters: [NetworkParameter] = []
    package var output = 0
    /// Nodes of the graphs over which the network aggregates.
    package var patternSize: Int?

    /// For each value whether it depends on one of these parameters.
    package func depending(on included: Set<Int>) -> [Bool] {
        var result = [Bool](repeating: false, count: values.count)
        for (index, instruction) in instructions.enumerated() {
            result[index + 1] = instruction.inputs.contains { result[$0] } || instruction.parameters.contains { included.contains($0) }
        }
        return result
    }

    /// Multiplications and additions of a forward pass of one point; one backward pass of one output is about as many.
    package var operationsPerPoint: Int {
        var total = 0
        for (index, instruction) in instructions.enumerated() {
            let size = values[index + 1].size
            switch instruction.operation {
            case .linear(let step): total = total.addingClamped(size.multipliedClamped(by: step.patch.multipliedClamped(by: 2)))
            case .scores, .attend:
                total = total.addingClamped(size.multipliedClamped(by: values[instruction.inputs[0]].channels.multipliedClamped(by: 2)))
            case .aggregate(let groups): total = total.addingClamped(size.multipliedClamped(by: 2 * (groups.first?.count ?? 1)))
            default: total = total.addingClamped(size.multipliedClamped(by: 4))
            }
        }
        return total
    }

    /// Numbers of all values of a point.
    package var valuesPerPoint: Int { values.reduce(0) { $0.addingClamped($1.size) } }
}
