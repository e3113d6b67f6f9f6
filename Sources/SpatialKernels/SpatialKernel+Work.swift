import Activations
import Architecture
package import LinearAlgebra

// What kernels of points with positions cost.
extension SpatialKernel {
    /// A pair of points: each value at the pairs of positions that it holds.
    package func pairWork(isFloat32: Bool) -> Work {
        let size = isFloat32 ? 0.5 : 1.0
        let input = elements(0, needs.pairings[0])
        var work = Work(.products, 2 * Double(channels) * input * size) + Work(.loops, 8 * input * size)
        for index in program.instructions.indices where needs.pairings[index + 1] > .none {
            work += self.work(index, needs.pairings, planes: 2, size: size)
        }
        return work + Work(.calls, 0.1 * Double(program.instructions.count))
    }

    /// A point: its variances, and where they need them the pairs of its own positions.
    package var pointWork: Work {
        let positions = Double(program.values[0].positions)
        var work = Work(.formulas, 2 * positions * Double(channels)) + Work(.calls, 1 + 0.5 * Double(program.instructions.count))
        for (index, instruction) in program.instructions.enumerated() {
            let positions = Double(program.values[index + 1].positions)
            if needs.variances.contains(index + 1) {
                work += Work(.formulas, 10 * positions)
                if case .activation(let step) = instruction.operation, step.abRelu == nil { work += step.dual.pointWork * positions }
            }
            guard needs.ownPairings[index + 1] > .none || instruction.operation.weighsPositions else { continue }
            work += self.work(index, needs.ownPairings, planes: 1, size: 1)
        }
        if needs.ownPairings[0] > .none { work += Work(.products, 2 * Double(channels) * elements(0, needs.ownPairings[0])) }
        return work
    }

    /// Tables and buffers, which each tile makes for itself.
    package var startingWork: Work { Work(.calls, 2 * Double(program.instructions.count)) }

    private func elements(_ value: Int, _ pairing: Pairing) -> Double {
        let positions = Double(program.values[value].positions)
        return pairing == .full ? positions * positions : pairing == .none ? 0 : positions
    }

    /// An instruction on all pairs of positions that its value holds.
    private func work(_ index: Int, _ pairings: [Pairing], planes: Double, size: Double) -> Work {
        let instruction = program.instructions[index]
        let pairs = elements(index + 1, pairings[index + 1])
        let inputs = Double(program.values[instruction.inputs[0]].positions)
        let inputPairs = elements(instruction.inputs[0], pairings[instruction.inputs[0]])
        switch instruction.operation {
        case .affine: return Work(.loops, 4 * planes * pairs * size)
        case .window(let geometry):
            let taps = geometry.axes.reduce(0) { $0 + $1.window }
            return Work(.loops, (4 + 4 * Double(taps)) * planes * pairs * size)
        case .activation(let step):
            if step.abRelu != nil { return Work(.loops, 15 * planes * pairs * size) }
            return step.dual.pairWork * pairs + Work(.formulas, 12 * pairs)
        case .attention(_, _, isAveraged: true): return Work(.products, 4 * planes * inputs * inputs) + Work(.loops, 10 * planes * inputs * inputs)
        case .attention: return Work(.products, 4 * planes * inputs * inputs * inputs * size) + Work(.formulas, 4 * planes * inputs * inputs)
        case .map(let map):
            let outputs = Double(map.count)
            let entries = Double(map.entries)
            return Work(.loops, 4 * planes * entries * (inputs + outputs) * size) + Work(.formulas, 2 * planes * (inputs * inputs + pairs))
        case .aggregate:
            return Work(.loops, 4 * planes * inputs * inputs * inputs.squareRoot() * size) + Work(.formulas, 4 * planes * inputs * inputs)
        case .sum, .product, .concatenateChannels: return Work(.formulas, Double(instruction.inputs.count) * planes * pairs)
        case .layerNorm, .dropout: return Work(.formulas, planes * pairs)
        case .concatenate, .isolate: return Work(.loops, 10 * planes * pairs)
        case .flatten, .globalPool: return Work(.loops, 2 * planes * inputPairs)
        }
    }
}
