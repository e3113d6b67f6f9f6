import Activations

/// How kernels depend on the lengths of their points where every layer is homogeneous: K(s x, t y) = (s t)ⁿ K(x, y), and Θ alike.
package struct Homogeneity: Sendable, Equatable {
    /// n.
    package let degree: Int
    /// The largest degree of a value on the way.
    package let largest: Int

    /// nil where some layer is not homogeneous, such as one with a bias of what is not yet without a unit.
    package init?(_ program: KernelProgram) {
        var degrees = [1]
        for instruction in program.instructions {
            guard let degree = Self.degree(instruction.operation, instruction.inputs.map { degrees[$0] }) else { return nil }
            degrees.append(degree)
        }
        degree = degrees[program.output]
        largest = degrees.reduce(1) { max($0, $1) }
    }

    /// The degree of a layer's output from those of its inputs.
    private static func degree(_ operation: KernelProgram.Operation, _ inputs: [Int]) -> Int? {
        let first = inputs[0]
        // What has no unit has none behind any layer.
        if inputs.allSatisfy({ $0 == 0 }) { return 0 }
        switch operation {
        case .affine(let step): return step.bias == 0 && step.constant == 0 ? first : nil
        case .activation(let step): return degree(step.activation).map { $0 * first }
        case .sum, .concatenateChannels, .concatenate: return inputs.allSatisfy { $0 == first } ? first : nil
        case .product: return inputs.reduce(0, +)
        case .layerNorm(_, let epsilon): return epsilon == 0 ? 0 : nil
        case .attention(let layer, _, _):
            // Scores, keys and values; softmax of scores is not homogeneous.
            let isPlain = layer.positionalEmbedding == .none && (layer.biasStd ?? 0) == 0
            return isPlain && !(layer.linearScaling && layer.mechanism == .softmax) ? 3 * first : nil
        case .window, .isolate, .dropout, .map, .aggregate, .flatten, .globalPool: return first
        }
    }

    /// n with φ(s u) = sⁿ φ(u) for s > 0, of the function or of its kernel's definition.
    private static func degree(_ activation: Activation) -> Int? {
        switch activation {
        case .abRelu, .expNormalized: 1
        case .sign: 0
        case .rectifiedMonomial(let n), .monomial(let n), .hermite(let n): n
        default: nil
        }
    }
}

extension KernelProgram.Operation {
    /// Whether the smallest of variances is as good as any other: a point whose variance has left the range of numbers must not pass for zero.
    package var forgetsScale: Bool {
        switch self {
        case .activation(let step): step.dual.isSharp
        case .layerNorm(_, let epsilon): epsilon < 1e-200
        default: false
        }
    }

    /// Whether the output's variance may be below the range of numbers where the inputs' are not.
    package var mayVanish: Bool {
        switch self {
        case .affine(let step): step.weight > 0
        case .activation(let step):
            switch step.activation {
            case .rectifiedMonomial(let n), .monomial(let n), .hermite(let n): n > 1
            default: false
            }
        case .product: true
        case .attention(let layer, _, _): layer.outputStd * layer.valueStd != 0 && !(layer.linearScaling && layer.mechanism == .softmax)
        default: false
        }
    }
}

extension KernelProgram {
    /// By instruction, whether a variance of its output that is not zero, and not within the range of numbers, must be refused.
    package var guardsScale: [Bool] {
        let last = instructions.lastIndex { $0.operation.forgetsScale } ?? 0
        return instructions.indices.map { $0 < last && instructions[$0].operation.mayVanish }
    }
}
