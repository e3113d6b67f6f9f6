internal import LinearAlgebra

extension NetworkProgram {
    /// The values of some samples, as far as somebody reads them.
    struct Values: Sendable {
        var samples: Int
        /// By root; nil where it is a constant, is not kept, or is not there yet.
        var buffers: [Buffer?]
    }

    /// The step that reads each root last; -1 for none.
    func lastUses() -> [Int] {
        var last = [Int](repeating: -1, count: values.count)
        for (index, step) in steps.enumerated() { for root in step.inputs.compactMap({ $0 }) { last[root] = index } }
        last[values[output].root] = steps.count
        return last
    }

    /// Computes values for samples `range` of the inputs. Those that `keeps` says nothing of are dropped behind their last use.
    func forward(_ inputs: PreparedInputs<F>, _ range: Range<Int>, keeps: [Bool], lastUses: [Int], _ context: PassContext) throws -> Values {
        var result = Values(samples: range.count, buffers: [Buffer?](repeating: nil, count: values.count))
        let inputPorts = Dictionary(uniqueKeysWithValues: zip(self.inputs.map(\.wire), inputs.ports.map { $0.from(range.lowerBound) }))
        for (index, step) in steps.enumerated() {
            for wire in step.outputs {
                let count = values[wire].type.count * range.count
                result.buffers[wire] = values[wire].type.isReal ? Buffer(F.self, count: count) : Buffer(Int64.self, count: count)
            }
            let tile = ForwardTile<F>(
                samples: range.count, inputs: step.inputs.map { root in root.flatMap { inputPorts[$0] } ?? valuePort(root, result.buffers) },
                outputs: step.outputs.map { valuePort($0, result.buffers) })
            try context.forEachRange(range.count, operations: step.operation.operations) { samples in
                let part = ForwardTile<F>(
                    samples: samples.count, inputs: tile.inputs.map { $0.from(samples.lowerBound) },
                    outputs: tile.outputs.map { $0.from(samples.lowerBound) })
                try step.run(part)
            }
            for root in step.inputs.compactMap({ $0 }) where lastUses[root] == index && !keeps[root] { result.buffers[root] = nil }
            for root in step.outputs where lastUses[root] < index && !keeps[root] { result.buffers[root] = nil }
        }
        return result
    }

    /// The outputs of all points: [points] + the output's shape, row-major.
    @specialized(where F == Double)
    @specialized(where F == Float)
    public func outputs(_ points: [String: NetworkInput], _ context: PassContext = PassContext()) throws -> [F] {
        let inputs = try PreparedInputs(points, self)
        defer { withExtendedLifetime(inputs) {} }
        let lastUses = lastUses()
        let keeps = [Bool](repeating: false, count: values.count)
        var result: [F] = []
        result.reserveCapacity(inputs.count * outputCount)
        let perSample = max(peakForwardBytes(lastUses), 1)
        let block = max(1, min(inputs.count, context.blockBytes / perSample))
        for start in stride(from: 0, to: inputs.count, by: block) {
            let range = start..<min(start + block, inputs.count)
            let values = try forward(inputs, range, keeps: keeps, lastUses: lastUses, context)
            defer { withExtendedLifetime(values) {} }
            result += outputCells(values, inputs, range).elements
        }
        return result
    }

    /// Bytes that `outputs` takes for so many points beside what it returns.
    public func outputsBytes(_ points: Int, blockBytes: Int) -> Int {
        let perSample = max(peakForwardBytes(lastUses()), 1)
        return perSample.multipliedClamped(by: max(1, min(points, blockBytes / perSample)))
    }

    /// The outputs of a block: those of a constant network, or of one that hands on its input, too.
    func outputCells(_ values: Values, _ inputs: PreparedInputs<F>, _ range: Range<Int>) -> Cells<F> {
        let root = self.values[output].root
        let count = outputCount * range.count
        if let buffer = values.buffers[root] { return buffer.cells(F.self, count) }
        let input = self.inputs.firstIndex { $0.wire == root }
        return inputs.ports[input ?? 0].from(range.lowerBound).cells(0).from(0, 0).widened(to: count)
    }

    /// Bytes of a sample's values that live at the same time in a forward pass.
    func peakForwardBytes(_ lastUses: [Int]) -> Int {
        var (live, peak) = (0, 0)
        for (index, step) in steps.enumerated() {
            for wire in step.outputs { live += values[wire].type.count * size(of: wire) }
            peak = max(peak, live)
            for root in Set(step.inputs.compactMap({ $0 })) where values[root].isSampled && lastUses[root] == index {
                if !inputs.contains(where: { $0.wire == root }) { live -= values[root].type.count * size(of: root) }
            }
            for root in step.outputs where lastUses[root] < index { live -= values[root].type.count * size(of: root) }
        }
        return peak
    }
}

extension Cells {
    /// The cells from here on, of a run that is known to be longer.
    func widened(to count: Int) -> Cells { Cells(address: address, count: count) }
}

extension Step {
    /// Values, with the node's name on errors.
    func run<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        do { try operation.values(tile) } catch { throw named(error) }
    }

    func runBack<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        do { try operation.cotangents(tile) } catch { throw named(error) }
    }

    private func named(_ error: GraphError) -> GraphError {
        var error = error
        if error.node.isEmpty { error.node = node }
        if error.operation.isEmpty { error.operation = "\(type(of: operation))" }
        return error
    }
}
