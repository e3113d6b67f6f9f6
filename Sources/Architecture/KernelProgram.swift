import LinearAlgebra

/// An architecture as a list of operations on (covariance K, tangent kernel Θ): what the kernel engines run.
///
/// Value 0 is the input; instruction k makes value k + 1 of earlier values.
package struct KernelProgram: Sendable {
    /// What is known of a value before any data has come.
    package struct Value: Sendable, Equatable {
        /// Extents of the spatial axes.
        package var spatial: [Int]
        /// Channels of the finite network at this place; nil after a layer that states none.
        package var width: Int?
        /// Whether the value is Gaussian over random weights, which an activation's dual assumes.
        package var isGaussian: Bool

        package var positions: Int { spatial.clampedProduct }
    }

    package enum Operation: Sendable {
        case affine(AffineStep)
        /// Mean over windows, both points' windows at the same offset.
        case window(WindowGeometry)
        /// Different positions become independent, as weights of their own make them.
        case isolate
        case activation(ActivationStep)
        case sum
        case product
        /// Weighted mean of the inputs, weights = shares of the channels.
        case concatenateChannels([Double])
        case concatenate(spatialAxis: Int)
        /// Divides by the root of the mean variance over these spatial axes (and the channels) plus epsilon.
        case layerNorm(spatialAxes: [Int], epsilon: Double)
        case dropout(keep: Double)
        /// Averaged: only the mean of its outputs over positions.
        case attention(SelfAttention, channels: Int?, isAveraged: Bool)
        /// x ← A x over positions.
        case map(SpatialMap)
        /// x ← A x over the given spatial axes, with the adjacency that comes with a point.
        case aggregate(spatialAxes: [Int])
        /// Mean over positions of the covariance of a position with itself.
        case flatten
        /// Mean or sum over all pairs of positions.
        case globalPool(Pool.Reduction)
    }

    package struct Instruction: Sendable {
        package var operation: Operation
        package var inputs: [Int]
    }

    /// K ← weight K + bias, Θ ← weight Θ + input K + constant (with the K before):
    ///
    /// | parameterization | weight | bias | input | constant |
    /// |---|---|---|---|---|
    /// | ntk | sigma_w² | sigma_b² | sigma_w² | sigma_b² |
    /// | standard | sigma_w² | sigma_b² | fan-in | 1 if there is a bias |
    /// | frozen | sigma_w² | sigma_b² | 0 | 0 |
    package struct AffineStep: Sendable, Equatable {
        package var weight, bias, input, constant: Double
    }

    package var values: [Value]
    package var instructions: [Instruction] = []

    /// The value that the last instruction makes, or the input.
    package var output: Int { instructions.count }

    /// The positions of the input; empty where a point is a vector.
    package var spatial: [Int] { values[0].spatial }

    /// A network that begins by flattening has points that are vectors.
    package mutating func flattenInput() {
        guard case .flatten = instructions.first?.operation, instructions.dropFirst().allSatisfy({ !$0.inputs.contains(0) }) else { return }
        values[0] = values[1]
    }

    /// Takes away the linear maps of positions that stand first: applied to the points they give the same kernel, as K(Ax, Ax') = A K(x, x') Aᵀ,
    /// without the pairs of positions of a small input that a large output combines, or those of a large one. At least one spatial axis is left.
    package mutating func takeInputMaps() -> [SpatialMap] {
        var maps: [SpatialMap] = []
        while case .map(let map) = instructions.first?.operation, !values[1].spatial.isEmpty, output > 1,
            instructions.dropFirst().allSatisfy({ !$0.inputs.contains(0) })
        {
            maps.append(map)
            instructions.removeFirst()
            values.removeFirst()
            for index in instructions.indices { instructions[index].inputs = instructions[index].inputs.map { $0 - 1 } }
        }
        return maps
    }

    /// Attentions whose outputs are only averaged give the mean at once: P² operations for each pair of points in place of P³.
    package mutating func averageAttentions() {
        var uses: [Int: Int] = [output: 1]
        for input in instructions.flatMap(\.inputs) { uses[input, default: 0] += 1 }
        for (index, instruction) in instructions.enumerated() {
            guard case .globalPool(.average) = instruction.operation, let attended = instruction.inputs.first, attended > 0, uses[attended] == 1,
                case .attention(let layer, let channels, false) = instructions[attended - 1].operation, layer.linearScaling
            else { continue }
            instructions[index] = Instruction(
                operation: .attention(layer, channels: channels, isAveraged: true), inputs: instructions[attended - 1].inputs)
        }
    }

    /// By value, whether no covariance can be negative: behind a relu, and as long as `keeps` says so of the operations.
    package func nonnegativeValues(keeps: (Operation) -> Bool) -> [Bool] {
        var isNonnegative = [false]
        for instruction in instructions {
            if case .activation(let step) = instruction.operation, let abRelu = step.abRelu {
                isNonnegative.append(abRelu.isRelu)
            } else {
                isNonnegative.append(keeps(instruction.operation) && instruction.inputs.allSatisfy { isNonnegative[$0] })
            }
        }
        return isNonnegative
    }

    /// Nodes of the patterns that the layers need; nil if none needs one.
    package var patternSize: Int? {
        for instruction in instructions {
            guard case .aggregate(let axes) = instruction.operation else { continue }
            return axes.lazy.map { values[instruction.inputs[0]].spatial[$0] }.clampedProduct
        }
        return nil
    }
}
