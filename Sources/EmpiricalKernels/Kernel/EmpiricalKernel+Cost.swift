import Architecture
public import LinearAlgebra

// What a kernel costs, and by which algorithm each layer's share is formed.
extension EmpiricalKernel {
    /// Of a computation: its work, bytes at the most, and the algorithm of each linear layer whose weights count.
    public struct Cost: Sendable {
        public var work: Work
        /// Floating-point operations, to within a small factor.
        public var operations: Int { work.operations }
        public var peakBytes: Int
        public var algorithms: [(parameter: String, algorithm: ContractionAlgorithm)]
    }

    func plan<Element: Scalar>(
        _ step: LayerProgram.LinearStep, rows: Int, columns: Int?, outputs: Int, form: OutputSelection.Form, as _: Element.Type
    ) -> ContractionPlan {
        let pairs = columns.map { rows.multipliedClamped(by: $0) } ?? rows.multipliedClamped(by: rows.addingClamped(1)) / 2
        return ContractionPlan(
            step, algorithm: algorithm, points: rows.addingClamped(columns ?? 0), pairs: pairs, outputs: outputs, form: form,
            elementBytes: MemoryLayout<Element>.stride)
    }

    /// Floating-point operations of a block between two times as many points.
    func operations<Element: Scalar>(side: Int, _ selection: OutputSelection, as _: Element.Type) -> Int {
        let count = selection.count(of: network.outputs)
        let passes = side.multipliedClamped(by: 2).multipliedClamped(by: network.operationsPerPoint.multipliedClamped(by: 1 + count))
        return network.program.instructions.reduce(passes) { sum, instruction in
            guard case .linear(let step) = instruction.operation, !included.isDisjoint(with: instruction.parameters) else { return sum }
            return sum.addingClamped(plan(step, rows: side, columns: side, outputs: count, form: selection.form, as: Element.self).operations)
        }
    }

    /// - Parameter n2: nil: the kernel among n1 points.
    public func cost<Element: Scalar>(
        n1: Int, n2: Int?, outputs selection: OutputSelection, isLayerwise: Bool = false, as _: Element.Type
    ) -> Cost {
        let bytes = MemoryLayout<Element>.stride
        let count = selection.count(of: network.outputs)
        let side = blockSide(selection, n1: n1, n2: n2, as: Element.self)
        let blocks = ((n1 - 1) / side + 1).multipliedClamped(by: ((n2 ?? n1) - 1) / side + 1)
        // Each pair of blocks passes its points through the network again; of a symmetric kernel one half does.
        let points = blocks == 1 ? n1.addingClamped(n2 ?? 0) : blocks.multipliedClamped(by: (n2 == nil ? 1 : 2) * side)
        let (passes, passPoints) = (blocks == 1 ? 1 : 2 * blocks, max(1, points / (blocks == 1 ? 1 : 2 * blocks)))
        let size = bytes == 4 ? 0.5 : 1
        var work = network.program.forwardWork(points: passPoints) + network.program.backwardWork(points: passPoints, outputs: count)
        work = work * passes * size
        var algorithms: [(String, ContractionAlgorithm)] = []
        var gradients = 0
        for instruction in network.program.instructions {
            guard case .linear(let step) = instruction.operation, !included.isDisjoint(with: instruction.parameters) else { continue }
            let plan = plan(step, rows: min(n1, side), columns: n2.map { min($0, side) }, outputs: count, form: selection.form, as: Element.self)
            work += plan.work(isFloat32: bytes == 4) * blocks
            if plan.algorithm == .gradients {
                // As many rows of the weights at a time as fit, one at the least.
                let row = min(n1, side).addingClamped(n2.map { min($0, side) } ?? 0).multipliedClamped(by: count.multipliedClamped(by: step.patch))
                    .multipliedClamped(by: bytes)
                gradients = max(gradients, row, min(row.multipliedClamped(by: step.outputChannels), KernelPass<Double>.gradientBytes))
            }
            if included.contains(step.weight) { algorithms.append((network.parameters[step.weight].name, plan.algorithm)) }
        }
        let entries = KernelTiles<Element>.entries(selection.form, count)
        let results = n1.multipliedClamped(by: n2 ?? n1).multipliedClamped(by: entries).multipliedClamped(by: bytes)
        let kernels = isLayerwise ? included.count + 1 : 1
        let working = min(n1, side).addingClamped(n2.map { min($0, side) } ?? 0)
            .multipliedClamped(by: bytesPerPoint(selection, elementBytes: bytes))
        let weights = network.parameterCount.multipliedClamped(by: 8 + bytes)
        let peak = results.multipliedClamped(by: 2 * kernels).addingClamped(working).addingClamped(weights).addingClamped(gradients)
        work += Work(.memory, 4 * Double(results) * Double(kernels)) + Work(.calls, 20).onOneThread
        return Cost(work: work, peakBytes: peak, algorithms: algorithms)
    }
}
