internal import LinearAlgebra

/// Where all that the network reads of a parameter is one constant with the same numbers at other places, as exporters put together the gates of
/// a recurrence by slices and concatenations: derivatives by it are those by the parameter, rearranged, and have the same inner products.
enum Rearrangement {
    /// Elements of a parameter that is looked at: the places of its numbers are computed.
    private static var elements: Int { 1 << 22 }

    /// The constant's root; nil if there is no such one.
    static func of<F>(_ parameter: Wire, _ program: NetworkProgram<F>, _ readers: PassPlan.Readers) -> Wire? {
        let count = program.values[parameter].type.count
        guard count <= elements, readers.steps[parameter] == nil, readers.staticSteps[parameter] != nil else { return nil }
        // Steps between the two, in order: copies only.
        var derived: Set<Wire> = [parameter]
        var chain: [Int] = []
        for (index, step) in program.staticSteps.enumerated() where step.inputs.contains(where: { $0.map { derived.contains($0) } ?? false }) {
            guard step.outputs.contains(where: { readers.steps[$0] != nil || readers.staticSteps[$0] != nil }) else { continue }
            guard step.operation is StridedView || step.operation is ConcatOperation else { return nil }
            derived.formUnion(step.outputs)
            chain.append(index)
        }
        let ends = derived.filter { readers.steps[$0] != nil }
        guard ends.count == 1, let end = ends.first, readers.staticSteps[end] == nil, program.values[end].type.count == count else { return nil }
        return isPermutation(parameter, end, chain, program) ? end : nil
    }

    /// Does the steps with the places of the parameter's numbers in place of the numbers; those of others are -1.
    private static func isPermutation<F>(_ parameter: Wire, _ end: Wire, _ chain: [Int], _ program: NetworkProgram<F>) -> Bool {
        var places: [Wire: Buffer] = [:]
        func buffer(_ root: Wire, _ value: (Int) -> Double) -> Buffer {
            let count = program.values[root].type.count
            let buffer = Buffer(Double.self, count: count)
            buffer.withCells(Double.self, count) { cells in for index in 0..<count { cells[index] = value(index) } }
            return buffer
        }
        func port(_ root: Wire) -> Port {
            let count = program.values[root].type.count
            return Port(address: places[root]?.address ?? 0, stride: 0, count: count, size: MemoryLayout<Double>.stride)
        }
        places[parameter] = buffer(parameter) { Double($0) }
        for index in chain {
            let step = program.staticSteps[index]
            for root in step.inputs.compactMap({ $0 }) where places[root] == nil {
                guard program.values[root].type.count <= elements else { return false }
                places[root] = buffer(root) { _ in -1 }
            }
            for root in step.outputs { places[root] = buffer(root) { _ in -1 } }
            let tile = ForwardTile<Double>(
                samples: 1, inputs: step.inputs.map { $0.map(port) ?? .absent }, outputs: step.outputs.map(port))
            guard (try? step.operation.values(tile)) != nil else { return false }
        }
        let count = program.values[end].type.count
        var isSeen = [Bool](repeating: false, count: count)
        return withExtendedLifetime(places) {
            guard let found = places[end] else { return false }
            return found.withCells(Double.self, count) { cells in
                for index in 0..<count {
                    let place = Int(cells[index])
                    guard place >= 0, !isSeen[place] else { return false }
                    isSeen[place] = true
                }
                return true
            }
        }
    }
}
