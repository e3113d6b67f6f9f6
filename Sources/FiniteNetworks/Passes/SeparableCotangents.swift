/// Values whose cotangents are δ[o, c, t] = A[o, c] B[c, t] for the rows o of a point: behind the last mix of channels and places, where a mean over
/// the places follows, rows differ by a number for each channel only.
struct SeparableCotangents {
    /// Channels by root.
    private var channels: [Wire: Int] = [:]

    init<F>(_ program: NetworkProgram<F>, isActive: [Bool], wants: [Bool]) {
        var readers = [Int](repeating: 0, count: program.values.count)
        for (index, step) in program.steps.enumerated() where isActive[index] {
            for root in step.inputs.compactMap({ $0 }) where wants[root] { readers[root] += 1 }
        }
        for index in program.steps.indices.reversed() where isActive[index] {
            let step = program.steps[index]
            guard let output = step.outputs.first, step.outputs.count == 1 else { continue }
            // A sum of two such cotangents is none.
            for (place, root) in step.inputs.enumerated() {
                guard let root, wants[root], readers[root] == 1, root != program.values[program.output].root else { continue }
                channels[root] = Self.channels(step.operation, input: place, count: program.values[root].type.count, output: channels[output])
            }
        }
    }

    /// Channels of an input's cotangents, for those of the output: operations that act on each channel by itself, alike for all rows.
    private static func channels(_ operation: any Operation, input: Int, count: Int, output: Int?) -> Int? {
        switch operation {
        case let mean as ReductionOperation: return mean.isTrailing ? mean.outputs : nil
        case is UnaryOperation: return output
        case let binary as BinaryOperation: return binary.count == count ? output : nil
        case let pool as PoolOperation: return pool.channels == output ? output : nil
        case let standardize as ChannelStandardize:
            return input == 0 && standardize.outer == 1 && standardize.channels == output ? output : nil
        default: return nil
        }
    }

    /// Whether the cotangents of a weight's only products are so, the extent of its cotangents being the channels.
    func areSo<F>(behind weight: StructuredWeight, _ program: NetworkProgram<F>) -> Bool {
        guard weight.uses.count == 1, let use = weight.uses.first, use.products.isPlanar, use.products.rowIsCotangent, !use.sampleIsFirst,
            let output = program.steps[use.step].outputs.first
        else { return false }
        return channels[output] == use.products.rowExtent
    }
}
