package import Activations
import LinearAlgebra

/// What flows between layers: a value, or the branches between a fan-out and a fan-in.
package indirect enum LayerFlow {
    case value(Int)
    case branches([LayerFlow])

    /// How many lists of branches stand within each other.
    fileprivate var depth: Int {
        var (flow, depth) = (self, 0)
        // Along the first of each: to look at all may take as long as there are branches.
        while case .branches(let flows) = flow, let first = flows.first { (flow, depth) = (first, depth + 1) }
        return depth
    }

    fileprivate var count: String {
        switch self {
        case .value: "1 input"
        case .branches(let flows): "\(flows.count) inputs"
        }
    }
}

/// Where a layer stands: in the architecture, and among the parameters' names.
package struct LayerPlace {
    /// A JSON pointer relative to the architecture.
    package var pointer: String
    /// The layer's index path, as in the `state_dict` of a `torch.nn.Sequential`; empty for the root.
    package var name: String

    package static let root = LayerPlace(pointer: "", name: "")

    /// The place of a part that is found below `pointer` and is the `index`-th by name.
    package func child(_ pointer: String, _ index: Int) -> LayerPlace {
        LayerPlace(pointer: self.pointer + pointer, name: name.isEmpty ? "\(index)" : "\(name).\(index)")
    }

    package func parameter(_ kind: String) -> String { name.isEmpty ? kind : "\(name).\(kind)" }
}

/// Makes a program of an architecture: of kernels (`KernelCompiler`) or of a finite network (`NetworkCompiler`). The walk through the tree is the
/// same for both, and so are its errors; what a layer becomes is its rule's.
package protocol LayerCompiler {
    var meter: CompilationMeter { get }

    /// The readout of an `mlp` as this compiler takes it.
    func readout(_ affine: Affine) -> Affine

    mutating func append(_ rule: any LayerRule, _ input: Int, at place: LayerPlace) throws(ArchitectureError) -> Int

    mutating func join(_ rule: any JoiningRule, _ inputs: [Int], at place: LayerPlace) throws(ArchitectureError) -> Int
}

/// Branches within branches.
private let maximumBranching = 32

extension LayerCompiler {
    package func readout(_ affine: Affine) -> Affine { affine }

    /// Walks through a layer.
    /// - Returns: what flows behind it.
    package mutating func add(_ layer: Layer, _ flow: LayerFlow, at place: LayerPlace) throws(ArchitectureError) -> LayerFlow {
        try meter.step(at: place.pointer)
        switch layer.form {
        case .combinator: return try combine(layer, flow, at: place)
        case .layer(let rule): return .value(try append(rule, single(flow, at: place), at: place))
        case .joining(let rule): return try join(rule, flow, at: place)
        }
    }

    private mutating func combine(_ layer: Layer, _ flow: LayerFlow, at place: LayerPlace) throws(ArchitectureError) -> LayerFlow {
        switch layer {
        case .serial(let layers): return try serial(layers, flow, at: place)
        case .residual(let layers):
            let value = try single(flow, at: place)
            return try join(FanInSum(), .branches([try serial(layers, flow, at: place), .value(value)]), at: place)
        case .repeated(let layer, let count):
            guard count >= 0 else { throw ArchitectureError(path: place.pointer + "/count", detail: "0 or more expected; \(count) came") }
            var flow = flow
            for index in 0..<count { flow = try add(layer, flow, at: place.child("/layer", index)) }
            return flow
        case .parallel(let layers): return try parallel(layers, flow, at: place)
        case .fanOut(let count):
            guard count >= 1 else { throw ArchitectureError(path: place.pointer + "/count", detail: "1 or more expected; \(count) came") }
            guard flow.depth < maximumBranching else {
                throw ArchitectureError(path: place.pointer, detail: "at most \(maximumBranching) fan_outs within each other expected")
            }
            return .branches(Array(repeating: flow, count: count))
        case .mlp(let depth, let activation, let hidden, let readout):
            return try mlp(depth, activation, hidden, self.readout(readout), flow, at: place)
        default: return flow
        }
    }

    private mutating func serial(_ layers: [Layer], _ flow: LayerFlow, at place: LayerPlace) throws(ArchitectureError) -> LayerFlow {
        var flow = flow
        for (index, layer) in layers.enumerated() { flow = try add(layer, flow, at: place.child("/layers/\(index)", index)) }
        return flow
    }

    private mutating func parallel(_ layers: [Layer], _ flow: LayerFlow, at place: LayerPlace) throws(ArchitectureError) -> LayerFlow {
        guard case .branches(let flows) = flow, flows.count == layers.count else {
            throw ArchitectureError(
                path: place.pointer + "/branches",
                detail: "as many branches as inputs expected: \(layers.count) branches came and \(flow.count); "
                    + "put fan_out with count \(layers.count) before")
        }
        var results: [LayerFlow] = []
        for (index, layer) in layers.enumerated() { results.append(try add(layer, flows[index], at: place.child("/branches/\(index)", index))) }
        return .branches(results)
    }

    /// The parameters are named as those of the serial network that it stands for: layers 0, 2, 4 …
    private mutating func mlp(
        _ depth: Int, _ activation: Activation, _ hidden: Affine, _ readout: Affine, _ flow: LayerFlow, at place: LayerPlace
    ) throws(ArchitectureError) -> LayerFlow {
        guard depth >= 0 else { throw ArchitectureError(path: place.pointer + "/depth", detail: "depth must be 0 or more; \(depth) came") }
        var value = try single(flow, at: place)
        for index in 0..<depth {
            try meter.step(2, at: place.pointer)
            value = try append(Dense(affine: hidden), value, at: place.child("", 2 * index))
            value = try append(ElementFunction(function: activation), value, at: LayerPlace(pointer: place.pointer + "/activation", name: ""))
        }
        return .value(try append(Dense(affine: readout), value, at: place.child("", 2 * depth)))
    }

    private mutating func join(_ rule: any JoiningRule, _ flow: LayerFlow, at place: LayerPlace) throws(ArchitectureError) -> LayerFlow {
        guard case .branches(let flows) = flow else {
            throw ArchitectureError(
                path: place.pointer, detail: "branches expected before \(rule.name); one value came: put fan_out and parallel before")
        }
        var inputs: [Int] = []
        for flow in flows { inputs.append(try single(flow, at: place)) }
        return .value(try join(rule, inputs, at: place))
    }

    /// The one value that a layer takes.
    private func single(_ flow: LayerFlow, at place: LayerPlace) throws(ArchitectureError) -> Int {
        guard case .value(let value) = flow else {
            throw ArchitectureError(
                path: place.pointer,
                detail: "one input expected; \(flow.count) came: use parallel, or a fan_in_sum, fan_in_prod or fan_in_concat before")
        }
        return value
    }

    /// The value at the end of an architecture.
    package func end(_ flow: LayerFlow) throws(ArchitectureError) -> Int {
        guard case .value(let output) = flow else {
            throw ArchitectureError(path: "", detail: "one output expected; the branches at the end need a fan_in_sum, fan_in_prod or fan_in_concat")
        }
        return output
    }

    /// What is made for the layer at `path`, whose errors then begin with that.
    package func located<Value>(_ path: String, _ make: () throws(ArchitectureError) -> Value) throws(ArchitectureError) -> Value {
        do { return try make() } catch { throw ArchitectureError(path: path + error.path, detail: error.detail, cause: error.cause) }
    }

    /// A layer that combines positions has some.
    package func requireSpatial(_ spatial: [Int], _ name: String, at path: String) throws(ArchitectureError) {
        guard spatial.isEmpty else { return }
        throw ArchitectureError(
            path: path, detail: "an input with spatial axes expected before \(name), such as [n, height, width, channels]; here a point is a vector")
    }

    /// Positions are numbered by 32 bits where a layer combines them.
    package func requireNumbered(_ spatial: [Int], at path: String) throws(ArchitectureError) {
        guard spatial.clampedProduct > Int(Int32.max) else { return }
        throw ArchitectureError(path: path, detail: "an input of fewer than 2^31 positions expected; it has extents \(spatial)")
    }
}
