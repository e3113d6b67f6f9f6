internal import ONNX

/// If and Loop where their conditions do not depend on the point: the branch, or the turns, become part of the graph.
struct ControlRule: OperatorRule {
    let operators = ["If", "Loop"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        if node.operation == "If" {
            let holds = try graph.integer(try node.input(0), "the condition") != 0
            return try graph.inline(try node.graph(holds ? "then_branch" : "else_branch"), [:])
        }
        let body = try node.graph("body")
        var most = Int.max
        if let wire = node.optional(0) { most = try graph.integer(wire, "the number of turns") }
        var holds = true
        if let wire = node.optional(1) { holds = try graph.integer(wire, "the condition") != 0 }
        var carried: [Wire] = []
        for index in node.inputs.indices.dropFirst(2) { carried.append(try node.input(index)) }
        let names = body.inputs.map(\.name)
        let scans = body.outputs.count - 1 - carried.count
        guard names.count == 2 + carried.count, scans >= 0 else {
            throw node.invalid("a body of \(names.count) inputs and \(body.outputs.count) outputs")
        }
        var rows = [[Wire]](repeating: [], count: scans)
        var turn = 0
        while holds, turn < most {
            try graph.countTurn()
            var bindings: [String: Wire] = [
                names[0]: try graph.constant(integers: [turn], shape: []),
                names[1]: try graph.constant(integers: [1], shape: [], kind: .boolean),
            ]
            for (index, wire) in carried.enumerated() { bindings[names[2 + index]] = wire }
            let outputs = try graph.inline(body, bindings)
            holds = try graph.integer(outputs[0], "the condition of the next turn") != 0
            carried = Array(outputs[1..<1 + carried.count])
            for index in 0..<scans { rows[index].append(outputs[1 + carried.count + index]) }
            turn += 1
        }
        var results = carried
        for wires in rows { results.append(try graph.stack(wires, axis: 0, isWanted: node.wantsOutput(results.count))) }
        return results
    }
}

/// Scan: a body for each place along an axis of its inputs, whose states go from one turn to the next.
struct ScanRule: OperatorRule {
    let operators = ["Scan"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let body = try node.graph("body")
        let scanned = try node.int("num_scan_inputs")
        guard scanned > 0, scanned <= node.inputs.count, body.inputs.count == node.inputs.count else {
            throw node.invalid("\(scanned) of \(node.inputs.count) inputs that are scanned, a body of \(body.inputs.count)")
        }
        let states = node.inputs.count - scanned
        let rowCount = body.outputs.count - states
        guard rowCount >= 0 else { throw node.invalid("a body of \(body.outputs.count) outputs for \(states) states") }
        func list(_ name: String, _ count: Int) throws(GraphError) -> [Int] {
            let values = try node.ints(name) ?? [Int](repeating: 0, count: count)
            guard values.count == count else { throw node.invalid("\(values.count) \(name) instead of \(count)") }
            return values
        }
        let (directions, axes) = (try list("scan_input_directions", scanned), try list("scan_input_axes", scanned))
        let (rowDirections, rowAxes) = (try list("scan_output_directions", rowCount), try list("scan_output_axes", rowCount))
        var carried: [Wire] = []
        for index in 0..<states { carried.append(try node.input(index)) }
        var (sources, places): ([Wire], [Int]) = ([], [])
        var length: Int?
        for index in 0..<scanned {
            let wire = try node.input(states + index)
            let axis = try node.axis(axes[index], rank: graph.shape(wire).count)
            let extent = graph.shape(wire)[axis]
            guard length == nil || length == extent else { throw node.invalid("scanned axes of \(length ?? 0) and \(extent)") }
            length = extent
            sources.append(wire)
            places.append(axis)
        }
        var rows = [[Wire]](repeating: [], count: rowCount)
        for turn in 0..<(length ?? 0) {
            try graph.countTurn()
            var bindings: [String: Wire] = [:]
            for (index, wire) in carried.enumerated() { bindings[body.inputs[index].name] = wire }
            for (index, wire) in sources.enumerated() {
                let place = directions[index] == 0 ? turn : (length ?? 0) - 1 - turn
                let one = try graph.slice(wire, axis: places[index], from: place, count: 1)
                var shape = graph.shape(one)
                shape.remove(at: places[index])
                bindings[body.inputs[states + index].name] = try graph.reshape(one, to: shape)
            }
            let outputs = try graph.inline(body, bindings)
            carried = Array(outputs[..<states])
            for index in 0..<rowCount { rows[index].append(outputs[states + index]) }
        }
        var results = carried
        for (index, wires) in rows.enumerated() {
            let ordered = rowDirections[index] == 0 ? wires : wires.reversed()
            let axis = try node.axis(rowAxes[index], rank: (wires.first.map { graph.shape($0).count } ?? 0) + 1)
            results.append(try graph.stack(ordered, axis: axis, isWanted: node.wantsOutput(results.count)))
        }
        return results
    }
}

extension GraphBuilder {
    /// The rows of a loop's turns as one tensor, along a new axis.
    fileprivate mutating func stack(_ rows: [Wire], axis: Int, isWanted: Bool) throws(GraphError) -> Wire {
        guard !rows.isEmpty else {
            guard !isWanted else { throw unsupported("a loop without turns, whose rows are used") }
            return sequence([])
        }
        var parts: [Wire] = []
        for wire in rows {
            var shape = shape(wire)
            shape.insert(1, at: axis)
            parts.append(try reshape(wire, to: shape))
        }
        return try concat(parts, axis: axis)
    }

    /// Counts a turn of a loop against the limit.
    mutating func countTurn() throws(GraphError) {
        turns += 1
        guard turns <= limits.turns else { throw error(.tooLarge, "loops of more than \(limits.turns) turns together") }
    }
}
