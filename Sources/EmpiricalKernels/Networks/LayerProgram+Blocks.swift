import Architecture
import LinearAlgebra

// How many points a thread takes at a time, and what it gathers for them.
extension LayerProgram {
    /// Points in a block: some hundred rows of a GEMM.
    var blockSide: Int { max(1, 128 / (values.map(\.positions).max() ?? 1)) }

    /// Numbers of the patches of a block of points, of the layer that has the most: each position of an output has its own window of the input.
    var gatheredNumbers: Int {
        instructions.reduce(0) { most, instruction in
            guard case .linear(let step) = instruction.operation, step.taps != nil else { return most }
            return max(most, step.outputPositions.multipliedClamped(by: step.patch).multipliedClamped(by: blockSide))
        }
    }
}
