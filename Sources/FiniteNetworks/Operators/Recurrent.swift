/// RNN, GRU and LSTM, unrolled over time into products and functions of single numbers, so that a weight has as many uses as there are times.
///
/// With σ and τ the gates' functions: RNN h' = τ(a); LSTM i, o, f = σ(·), c' = f c + i τ(·), h' = o τ(c'); GRU z, r = σ(·), h' = (1 − z) n + z h.
/// Source: the operators' definitions in ONNX.
struct RecurrentRule: OperatorRule {
    let operators = ["RNN", "GRU", "LSTM"]

    /// What the times of one direction share.
    private struct Cell {
        var kind: String
        var hidden: Int
        var gates: Int
        var recurrence: Wire
        var recurrenceBias: Wire?
        var peepholes: [Wire]
        var functions: [UnaryFunction]
        var isLinearBeforeReset: Bool
    }

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var (input, weight, recurrence) = (try node.input(0), try node.input(1), try node.input(2))
        guard graph.shape(input).count == 3, graph.shape(weight).count == 3, graph.shape(recurrence).count == 3 else {
            throw node.invalid("inputs of shapes \([input, weight, recurrence].map { graph.shape($0) })")
        }
        let isBatchFirst = try node.flag("layout")
        if isBatchFirst { input = try graph.transpose(input, [1, 0, 2]) }
        let (times, batch, width) = (graph.shape(input)[0], graph.shape(input)[1], graph.shape(input)[2])
        let gates = node.operation == "LSTM" ? 4 : node.operation == "GRU" ? 3 : 1
        let hidden = graph.shape(recurrence)[2]
        let direction = try node.string("direction", "forward")
        let directions = direction == "bidirectional" ? 2 : 1
        guard graph.shape(weight) == [directions, gates * hidden, width], graph.shape(recurrence) == [directions, gates * hidden, hidden],
            ["forward", "reverse", "bidirectional"].contains(direction), !node.has("clip"), try !node.flag("input_forget"), times > 0,
            times <= graph.limits.steps
        else { throw node.unsupported("direction \(direction), weights of shape \(graph.shape(weight)), or clip or input_forget") }
        let functions = try functions(node, directions)
        var lengths: Wire?
        if let wire = node.optional(4) {
            let known = graph.isStatic(wire) ? try graph.integers(wire, "lengths") : []
            if known.isEmpty || known.contains(where: { $0 != times }) { lengths = wire }
        }
        var (sequences, lastHidden, lastCell): ([[Wire]], [Wire], [Wire]) = ([], [], [])
        for index in 0..<directions {
            func part(_ wire: Wire, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
                guard let first = graph.shape(wire).first, first == directions else { throw node.invalid("an input of shape \(graph.shape(wire))") }
                let slice = try graph.slice(wire, axis: 0, from: index, count: 1)
                return try graph.reshape(slice, to: Array(graph.shape(wire).dropFirst()))
            }
            func state(_ place: Int, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
                guard var wire = node.optional(place) else {
                    return try graph.expand(try graph.constant(reals: [0], shape: []), to: [batch, hidden])
                }
                if isBatchFirst { wire = try graph.transpose(wire, [1, 0, 2]) }
                return try part(wire, &graph)
            }
            var projected = try graph.matMul(input, try part(weight, &graph), isTransposed: true)
            var recurrenceBias: Wire?
            if let wire = node.optional(3) {
                let both = try part(wire, &graph)
                guard graph.shape(both) == [2 * gates * hidden] else { throw node.invalid("a bias of shape \(graph.shape(wire))") }
                projected = try graph.binary(.add, projected, try graph.slice(both, axis: 0, from: 0, count: gates * hidden))
                recurrenceBias = try graph.slice(both, axis: 0, from: gates * hidden, count: gates * hidden)
            }
            var peepholes: [Wire] = []
            if node.operation == "LSTM", let wire = node.optional(7) {
                let all = try part(wire, &graph)
                guard graph.shape(all) == [3 * hidden] else { throw node.invalid("peepholes of shape \(graph.shape(wire))") }
                for place in 0..<3 { peepholes.append(try graph.slice(all, axis: 0, from: place * hidden, count: hidden)) }
            }
            let cell = Cell(
                kind: node.operation, hidden: hidden, gates: gates, recurrence: try part(recurrence, &graph), recurrenceBias: recurrenceBias,
                peepholes: peepholes, functions: Array(functions[index * functions.count / directions..<(index + 1) * functions.count / directions]),
                isLinearBeforeReset: try node.flag("linear_before_reset"))
            var h = try state(5, &graph)
            var c = node.operation == "LSTM" ? try state(6, &graph) : h
            var outputs = [Wire](repeating: h, count: times)
            let isReversed = direction == "reverse" || index == 1
            for turn in 0..<times {
                let time = isReversed ? times - 1 - turn : turn
                let slice = try graph.slice(projected, axis: 0, from: time, count: 1)
                let a = try graph.reshape(slice, to: [batch, gates * hidden])
                var (next, nextCell) = try step(cell, a, h, c, &graph)
                var output = next
                if let lengths {
                    // Behind its end a sequence keeps its state and puts out zeros.
                    let now = try graph.constant(integers: [time], shape: [1])
                    let isWithin = try graph.reshape(try graph.integerBinary(.greater, lengths, now, .boolean), to: [batch, 1])
                    let zero = try graph.constant(reals: [0], shape: [])
                    output = try graph.choose(isWithin, next, zero)
                    next = try graph.choose(isWithin, next, h)
                    if node.operation == "LSTM" { nextCell = try graph.choose(isWithin, nextCell, c) }
                }
                (h, c) = (next, node.operation == "LSTM" ? nextCell : next)
                outputs[time] = output
            }
            sequences.append(outputs)
            lastHidden.append(h)
            lastCell.append(c)
        }
        let (hiddenState, cellState) = (
            try stack(lastHidden, batch, hidden, isBatchFirst, &graph), try stack(lastCell, batch, hidden, isBatchFirst, &graph)
        )
        guard node.wantsOutput(0) else { return [hiddenState, hiddenState, cellState] }
        // [times, directions, batch, hidden], or with the batch first.
        var parts: [Wire] = []
        for time in 0..<times {
            for outputs in sequences { parts.append(try graph.reshape(outputs[time], to: [1, batch, hidden])) }
        }
        var all = try graph.reshape(try graph.concat(parts, axis: 0), to: [times, directions, batch, hidden])
        if isBatchFirst { all = try graph.transpose(all, [2, 0, 1, 3]) }
        return [all, hiddenState, cellState]
    }

    private func stack<F: NetworkScalar>(
        _ wires: [Wire], _ batch: Int, _ hidden: Int, _ isBatchFirst: Bool, _ graph: inout GraphBuilder<F>
    ) throws(GraphError) -> Wire {
        var parts: [Wire] = []
        for wire in wires { parts.append(try graph.reshape(wire, to: [1, batch, hidden])) }
        let all = try graph.concat(parts, axis: 0)
        return isBatchFirst ? try graph.transpose(all, [1, 0, 2]) : all
    }

    private func step<F: NetworkScalar>(
        _ cell: Cell, _ a: Wire, _ h: Wire, _ c: Wire, _ graph: inout GraphBuilder<F>
    ) throws(GraphError) -> (hidden: Wire, cell: Wire) {
        let n = cell.hidden
        func gate(_ wire: Wire, _ index: Int, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            try graph.slice(wire, axis: graph.shape(wire).count - 1, from: index * n, count: n)
        }
        if cell.kind == "GRU" {
            let split = 2 * n
            // The candidate's recurrence waits for the reset gate.
            func part(_ wire: Wire, _ isGates: Bool, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
                let axis = wire == a ? 1 : 0
                return try graph.slice(wire, axis: axis, from: isGates ? 0 : split, count: isGates ? split : n)
            }
            var gates = try graph.binary(
                .add, try part(a, true, &graph), try graph.matMul(h, try part(cell.recurrence, true, &graph), isTransposed: true))
            if let bias = cell.recurrenceBias { gates = try graph.binary(.add, gates, try part(bias, true, &graph)) }
            gates = try graph.unary(cell.functions[0], gates)
            let (z, r) = (try gate(gates, 0, &graph), try gate(gates, 1, &graph))
            let weight = try part(cell.recurrence, false, &graph)
            var candidate: Wire
            if cell.isLinearBeforeReset {
                candidate = try graph.matMul(h, weight, isTransposed: true)
                if let bias = cell.recurrenceBias { candidate = try graph.binary(.add, candidate, try part(bias, false, &graph)) }
                candidate = try graph.binary(.multiply, r, candidate)
            } else {
                candidate = try graph.matMul(try graph.binary(.multiply, r, h), weight, isTransposed: true)
                if let bias = cell.recurrenceBias { candidate = try graph.binary(.add, candidate, try part(bias, false, &graph)) }
            }
            candidate = try graph.unary(cell.functions[1], try graph.binary(.add, try part(a, false, &graph), candidate))
            let difference = try graph.binary(.subtract, h, candidate)
            let next = try graph.binary(.add, candidate, try graph.binary(.multiply, z, difference))
            return (next, next)
        }
        var all = try graph.binary(.add, a, try graph.matMul(h, cell.recurrence, isTransposed: true))
        if let bias = cell.recurrenceBias { all = try graph.binary(.add, all, bias) }
        if cell.kind == "RNN" {
            let next = try graph.unary(cell.functions[0], all)
            return (next, next)
        }
        // The order of the gates is i, o, f, c; that of the peepholes i, o, f.
        func open(_ index: Int, _ state: Wire, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            var value = try gate(all, index, &graph)
            if !cell.peepholes.isEmpty {
                value = try graph.binary(.add, value, try graph.binary(.multiply, cell.peepholes[index], state))
            }
            return try graph.unary(cell.functions[0], value)
        }
        let (i, f) = (try open(0, c, &graph), try open(2, c, &graph))
        let candidate = try graph.unary(cell.functions[1], try gate(all, 3, &graph))
        let next = try graph.binary(.add, try graph.binary(.multiply, f, c), try graph.binary(.multiply, i, candidate))
        let o = try open(1, next, &graph)
        return (try graph.binary(.multiply, o, try graph.unary(cell.functions[2], next)), next)
    }

    /// The gates' functions of each direction.
    private func functions(_ node: Node, _ directions: Int) throws(GraphError) -> [UnaryFunction] {
        let standard = node.operation == "LSTM" ? ["Sigmoid", "Tanh", "Tanh"] : node.operation == "GRU" ? ["Sigmoid", "Tanh"] : ["Tanh"]
        let names = try node.strings("activations") ?? (0..<directions).flatMap { _ in standard }
        guard names.count == standard.count * directions else { throw node.invalid("\(names.count) activations") }
        let (alpha, beta) = (try node.floats("activation_alpha") ?? [], try node.floats("activation_beta") ?? [])
        guard alpha.isEmpty, beta.isEmpty else { throw node.unsupported("activation_alpha and activation_beta") }
        var result: [UnaryFunction] = []
        for name in names {
            switch name.lowercased() {
            case "sigmoid": result.append(.sigmoid)
            case "tanh": result.append(.tanh)
            case "relu": result.append(.relu)
            case "softplus": result.append(.softplus)
            case "softsign": result.append(.softsign)
            case "elu": result.append(.elu(1))
            case "leakyrelu": result.append(.leakyRelu(0.01))
            case "hardsigmoid": result.append(.hardSigmoid(alpha: 0.2, beta: 0.5))
            default: throw node.unsupported("activation \"\(name)\"")
            }
        }
        return result
    }
}

extension GraphBuilder {
    /// a where the condition holds, else b.
    mutating func choose(_ condition: Wire, _ a: Wire, _ b: Wire) throws(GraphError) -> Wire {
        let shapes = [condition, a, b].map { shape($0) }
        guard let shape = Broadcasting.shape(shapes) else { throw invalid("shapes \(shapes) are not made one by repetition") }
        let loop = StridedLoop(
            shape: shape, Broadcasting.strides(shapes[0], in: shape), Broadcasting.strides(shapes[1], in: shape),
            Broadcasting.strides(shapes[2], in: shape))
        let type = TensorType(kind(a), shape)
        return try add(WhereOperation(count: type.count, loop: loop, isReal: type.isReal), [condition, a, b], type)
    }
}
