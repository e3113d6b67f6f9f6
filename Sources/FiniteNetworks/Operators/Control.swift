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
        for wires in rows {
            guard !wires.isEmpty else {
                guard wires.isEmpty, !node.wantsOutput(results.count) else { throw node.unsupported("a loop without turns, whose rows are used") }
                results.append(graph.sequence([]))
                continue
            }
            var parts: [Wire] = []
            for wire in wires { parts.append(try graph.reshape(wire, to: [1] + graph.shape(wire))) }
            results.append(try graph.concat(parts, axis: 0))
        }
        return results
    }
}

extension GraphBuilder {
    /// Counts a turn of a loop against the limit.
    mutating func countTurn() throws(GraphError) {
        turns += 1
        guard turns <= limits.turns else { throw error(.tooLarge, "loops of more than \(limits.turns) turns together") }
    }
}
