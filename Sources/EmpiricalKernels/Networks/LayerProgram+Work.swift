import Activations
import Architecture
import LinearAlgebra

// What passes through a finite network cost.
extension LayerProgram {
    /// A forward pass of some points.
    func forwardWork(points: Int) -> Work {
        var work = Work(.memory, 16 * Double(values[0].size))
        for index in instructions.indices { work += forwardWork(index) }
        return work * points + callWork(points: points)
    }

    /// Derivatives of so many outputs, or of a loss, back to the parameters' layers, but for the gradients of weights.
    func backwardWork(points: Int, outputs: Int) -> Work {
        var work = Work.none
        for (index, instruction) in instructions.enumerated() {
            let size = Double(values[index + 1].size)
            let times = Double(outputs)
            switch instruction.operation {
            case .activation(let activation):
                if case .abRelu = activation {
                    work += Work(.loops, 8 * size * (1 + times))
                } else {
                    work += Work(.formulas, activation.evaluationNanoseconds * size) + Work(.loops, 8 * size * times)
                }
            case .scores, .attend: work += forwardWork(index) * (2 * times)
            default: work += forwardWork(index) * times
            }
            work += Work(.memory, 16 * size * times)
        }
        return work * points + callWork(points: points) * 2
    }

    /// The gradient of a loss by all weights, from derivatives that are there: outer products, in sums of some groups of points.
    func weightGradientWork(points: Int) -> Work {
        var operations = 0.0
        for (index, instruction) in instructions.enumerated() {
            guard case .linear(let step) = instruction.operation else { continue }
            operations += 4 * Double(values[index + 1].size) * Double(step.patch)
        }
        let sums = Double(min(points, ParameterGradient.groups)) * Double(parameters.reduce(0) { $0.addingClamped($1.count) })
        return Work(.loops, operations) * points + Work(.memory, 24 * sums).onOneThread
    }

    /// Layers are called for one block of points after another.
    private func callWork(points: Int) -> Work {
        let blocks = Double(points) * Double(values.map(\.positions).max() ?? 1) / 128 + 1
        return Work(.calls, 0.5 * Double(instructions.count)) * blocks + Work(.calls, 2).onOneThread
    }

    /// One instruction at one point.
    private func forwardWork(_ index: Int) -> Work {
        let instruction = instructions[index]
        let size = Double(values[index + 1].size)
        switch instruction.operation {
        case .linear(let step):
            let gathered = step.taps == nil ? 0 : Double(step.outputPositions) * Double(step.patch)
            return Work(.products, 2 * size * Double(step.patch)) + Work(.loops, 4 * size + 8 * gathered)
        case .map(let map):
            let entries = Double(map.entries)
            return Work(.loops, 8 * entries * Double(values[index + 1].channels)) + Work(.formulas, 4 * Double(map.count))
        case .activation(let activation):
            if case .abRelu = activation { return Work(.loops, 6 * size) }
            return Work(.formulas, activation.evaluationNanoseconds * size)
        case .sum, .product, .concatenate, .reshape: return Work(.loops, 6 * size * Double(instruction.inputs.count))
        case .transpose, .embedding: return Work(.formulas, size)
        case .normalize: return Work(.formulas, 5 * size)
        case .scale: return Work(.formulas, 2 * size)
        case .softmax: return Work(.formulas, 12 * size)
        case .scores, .attend:
            return Work(.products, 2 * size * Double(values[instruction.inputs[0]].channels)) + Work(.calls, 0.5)
        case .aggregate(let groups): return Work(.loops, 4 * size * Double(groups.first?.count ?? 1))
        }
    }
}
