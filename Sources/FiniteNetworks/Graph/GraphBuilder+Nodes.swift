internal import ONNX

extension GraphBuilder {
    func wire(named name: String) -> Wire? {
        for scope in scopes.reversed() { if let wire = scope[name] { return wire } }
        return nil
    }

    /// Compiles the nodes of a graph that one of the wanted names depends on.
    mutating func compile(_ graph: ONNXGraph, wanted: [String]) throws(GraphError) {
        try countNodes(graph.nodes.count)
        let needed = Self.needed(graph, wanted)
        for (index, node) in graph.nodes.enumerated() where needed[index] { try compile(node) }
    }

    /// Compiles a graph within this one, with its inputs bound.
    /// - Returns: the wires of its outputs.
    mutating func inline(_ graph: ONNXGraph, _ bindings: [String: Wire]) throws(GraphError) -> [Wire] {
        depth += 1
        guard depth <= 16 else { throw error(.tooLarge, "graphs within graphs, deeper than 16") }
        let outer = current
        scopes.append(bindings)
        defer {
            scopes.removeLast()
            depth -= 1
            setCurrent(node: outer.node, operation: outer.operation)
        }
        for tensor in graph.initializers { scopes[scopes.count - 1][tensor.name] = try constant(tensor) }
        try compile(graph, wanted: graph.outputs.map(\.name))
        var outputs: [Wire] = []
        for output in graph.outputs {
            guard let wire = wire(named: output.name) else { throw invalid("output \"\(output.name)\" is made by no node") }
            outputs.append(wire)
        }
        return outputs
    }

    private mutating func compile(_ node: ONNXNode) throws(GraphError) {
        setCurrent(node: Node.title(node), operation: node.operation)
        let function = functions[FunctionName(domain: node.domain, name: node.operation, overload: node.overload)]
        let rule = node.domain.isEmpty ? OperatorRules.byName[node.operation] : nil
        guard function != nil || rule != nil else {
            let domain = node.domain.isEmpty ? "" : " of domain \(node.domain)"
            throw unsupported("operator \(node.operation)\(domain) is not served; served are \(OperatorRules.names.joined(separator: ", "))")
        }
        var inputs: [Wire?] = []
        for name in node.inputs {
            if name.isEmpty || absent.contains(name) {
                inputs.append(nil)
                continue
            }
            guard let wire = wire(named: name) else {
                if unserved.contains(name) { throw unsupported("input \"\(name)\" is an output of a node that is not served") }
                throw invalid("input \"\(name)\" is neither an input or initializer of the graph nor the output of a node before this one")
            }
            inputs.append(wire)
        }
        var outputs: [Wire] = []
        if let function {
            outputs = try inline(function, node, inputs)
        } else if let rule {
            outputs = try rule.build(Node(node: node, inputs: inputs, opset: opset), &self)
        }
        setCurrent(node: Node.title(node), operation: node.operation)
        for (index, name) in node.outputs.enumerated() where !name.isEmpty {
            // An output that is not served is an error where somebody reads it.
            if index < outputs.count { scopes[scopes.count - 1][name] = outputs[index] } else { unserved.insert(name) }
        }
    }

    /// Compiles a function of the file in the place of a node that calls it: it sees its inputs and the node's attributes, and nothing else.
    private mutating func inline(_ function: ONNXFunction, _ node: ONNXNode, _ inputs: [Wire?]) throws(GraphError) -> [Wire] {
        guard inputs.count <= function.inputs.count else {
            throw invalid("\(inputs.count) inputs for a function of \(function.inputs.count)")
        }
        depth += 1
        guard depth <= 16 else { throw error(.tooLarge, "functions within functions, deeper than 16") }
        let outer = (scopes, absent, opset, unserved, current)
        defer {
            depth -= 1
            (scopes, absent, opset, unserved) = (outer.0, outer.1, outer.2, outer.3)
            setCurrent(node: outer.4.node, operation: outer.4.operation)
        }
        (scopes, absent, unserved) = ([[:]], [], [])
        opset = function.opset ?? opset
        for (index, name) in function.inputs.enumerated() {
            if index < inputs.count, let wire = inputs[index] { scopes[0][name] = wire } else { absent.insert(name) }
        }
        let attributes = function.defaults.merging(node.attributes) { $1 }
        let nodes = function.nodes.map { $0.bound(attributes) }
        try compile(ONNXGraph(nodes: nodes, initializers: [], inputs: [], outputs: []), wanted: function.outputs)
        var outputs: [Wire] = []
        for name in function.outputs {
            guard let wire = wire(named: name) else { throw invalid("output \"\(name)\" of the function is made by no node") }
            outputs.append(wire)
        }
        return outputs
    }

    /// Which nodes of a graph the wanted values depend on.
    private static func needed(_ graph: ONNXGraph, _ wanted: [String]) -> [Bool] {
        var names = Set(wanted)
        var needed = [Bool](repeating: false, count: graph.nodes.count)
        // Nodes are in order, each behind those it depends on; `compile` refuses a graph that is not.
        for index in graph.nodes.indices.reversed() where graph.nodes[index].outputs.contains(where: { names.contains($0) }) {
            needed[index] = true
            names.formUnion(references(graph.nodes[index]))
        }
        return needed
    }

    /// Names that a node reads, in graphs within it, too.
    static func references(_ node: ONNXNode) -> Set<String> {
        var names = Set(node.inputs)
        for attribute in node.attributes.values {
            guard case .graph(let graph) = attribute else { continue }
            for node in graph.nodes { names.formUnion(references(node)) }
            names.formUnion(graph.outputs.map(\.name))
        }
        names.remove("")
        return names
    }
}

extension ONNXNode {
    /// The same node with the values of attributes that it takes from the function in which it stands; what has none is left out.
    fileprivate func bound(_ values: [String: ONNXAttribute]) -> ONNXNode {
        var node = self
        for (name, attribute) in attributes {
            switch attribute {
            case .reference(let outer): node.attributes[name] = values[outer]
            case .graph(var graph):
                graph.nodes = graph.nodes.map { $0.bound(values) }
                node.attributes[name] = .graph(graph)
            default: break
            }
        }
        return node
    }
}
