import Architecture
import LinearAlgebra

/// Of how many features each value's covariance is the inner product, before any activation.
struct FeatureCounts {
    /// More would cost more than they are good for.
    private static let largest = 256
    private static let elements = 1 << 16
    /// Nil where there are none, too many, or no positions are mixed after the value and before activations.
    private(set) var kept: [Int?]

    init(_ program: KernelProgram, channels: Int) {
        var counts: [Int?] = [channels]
        for (index, instruction) in program.instructions.enumerated() {
            let inputs = instruction.inputs.compactMap { counts[$0] }
            let isKnown = inputs.count == instruction.inputs.count
            let count = isKnown ? Self.count(instruction, inputs, program) : nil
            let fits = count.map { $0 <= Self.largest && $0 * program.values[index + 1].positions <= Self.elements } ?? false
            counts.append(fits ? count : nil)
        }
        // Those that no mixing needs are not worked out.
        var isNeeded = counts.map { _ in false }
        for (index, instruction) in program.instructions.enumerated().reversed() where counts[index + 1] != nil {
            guard isNeeded[index + 1] || instruction.operation.mixesPositions else { continue }
            isNeeded[index + 1] = true
            for input in instruction.inputs { isNeeded[input] = true }
        }
        kept = zip(counts, isNeeded).map { $1 ? $0 : nil }
    }

    private static func count(_ instruction: KernelProgram.Instruction, _ inputs: [Int], _ program: KernelProgram) -> Int? {
        let positions = program.values[instruction.inputs[0]].positions
        switch instruction.operation {
        case .affine(let step): return inputs[0].addingClamped(step.bias > 0 ? 1 : 0)
        case .window(let geometry): return inputs[0].multipliedClamped(by: geometry.size)
        case .sum, .concatenateChannels, .concatenate: return inputs.clampedSum
        case .layerNorm, .map, .aggregate, .globalPool: return inputs[0]
        case .flatten: return inputs[0].multipliedClamped(by: positions)
        case .attention(let layer, _, _):
            // Embeddings of different positions are independent, or have a covariance whose root would be needed.
            let embeds = layer.embedsValues && layer.positionalEmbedding != .none
            guard layer.linearScaling, !embeds || layer.positionalDecay == nil else { return nil }
            return inputs[0].addingClamped((embeds ? positions : 0) + (layer.biasStd ?? 0 != 0 ? 1 : 0))
        case .activation, .isolate, .product, .dropout: return nil
        }
    }
}
