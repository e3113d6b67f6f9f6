import LinearAlgebra

/// Walks an architecture's tree, names the parameters, checks the shapes, and lists the operations of the finite network.
struct NetworkCompiler {
    /// What flows between layers: a value, or the branches between a fan-out and a fan-in.
    indirect enum Flow {
        case value(Int)
        case branches([Flow])
    }

    /// Where a layer stands: in the architecture, and among the parameters' names.
    struct Place {
        var pointer: String
        var name: String

        func child(_ pointer: String, _ index: Int) -> Place {
            Place(pointer: "\(self.pointer)/\(pointer)", name: name.isEmpty ? "\(index)" : "\(name).\(index)")
        }

        func parameter(_ kind: String) -> String { name.isEmpty ? kind : "\(name).\(kind)" }
    }

    private static let maximumInstructions = 100_000
    /// Numbers in one value of a point.
    private static let maximumSize = 1 << 28
    /// Entries of a table that says which elements or positions meet.
    static let maximumTable = 1 << 24
    /// Bytes of an instruction and its value, of a parameter, and of a name that is told of.
    private static let (instructionBytes, parameterBytes) = (256, 256)

    var program: NetworkProgram
    let meter: CompilationMeter
    /// Shapes of the parameters that came, by name; nil: they are to be drawn, and each layer states its width.
    let given: [String: [Int]]?
    let isChannelsFirst: Bool
    private(set) var faults: [ParameterFault] = []
    private var known: Set<String> = []

    /// - Parameter shape: of a point, channels last.
    static func compile(
        _ layer: Layer, shape: [Int], isChannelsFirst: Bool, given: [String: [Int]]?, meter: CompilationMeter
    ) throws(NetworkError) -> NetworkProgram {
        do { try layer.checkVisits() } catch { throw .architecture(error) }
        var compiler = NetworkCompiler(
            program: NetworkProgram(values: [.init(spatial: Array(shape.dropLast()), channels: shape[shape.count - 1])]), given: given,
            isChannelsFirst: isChannelsFirst, meter: meter)
        do {
            try compiler.finish(compiler.add(layer, .value(0), at: Place(pointer: "", name: "")))
        } catch {
            // A layer that does not fit is often the consequence of a parameter that does not.
            guard compiler.faults.isEmpty || error.cause != nil else { throw .parameters(compiler.faults) }
            throw .architecture(error)
        }
        for name in (given ?? [:]).keys.sorted() where !compiler.known.contains(name) {
            compiler.faults.append(ParameterFault(name: name, kind: .surplus))
        }
        guard compiler.faults.isEmpty else { throw .parameters(compiler.faults) }
        return compiler.program
    }

    private init(program: NetworkProgram, given: [String: [Int]]?, isChannelsFirst: Bool, meter: CompilationMeter) {
        self.program = program
        self.meter = meter
        self.given = given
        self.isChannelsFirst = isChannelsFirst
    }

    private mutating func finish(_ flow: Flow) throws(ArchitectureError) {
        guard case .value(var output) = flow else {
            throw ArchitectureError(path: "", detail: "one output expected; the branches at the end need a fan_in_sum, fan_in_prod or fan_in_concat")
        }
        if isChannelsFirst, !program.values[output].spatial.isEmpty {
            output = try append(.transpose, [output], program.values[output], at: Place(pointer: "", name: ""))
        }
        program.output = output
    }

    mutating func append(
        _ operation: NetworkProgram.Operation, _ inputs: [Int], _ value: NetworkProgram.Value, at place: Place
    ) throws(ArchitectureError) -> Int {
        guard program.instructions.count < Self.maximumInstructions else {
            throw ArchitectureError(path: place.pointer, detail: "at most \(Self.maximumInstructions) layers expected, repetitions counted")
        }
        guard value.spatial.allSatisfy({ $0 > 0 }) else {
            throw ArchitectureError(
                path: place.pointer, detail: "one position or more along each axis expected; the output here has extents \(value.spatial)")
        }
        let size = value.spatial.reduce(value.channels) { $0.multipliedClamped(by: $1) }
        guard size <= Self.maximumSize else {
            throw ArchitectureError(
                path: place.pointer,
                detail: "at most \(Self.maximumSize) numbers a point expected; here are \(value.spatial) positions of \(value.channels) channels")
        }
        try meter.take(Self.instructionBytes + 16 * (inputs.count + value.spatial.count), at: place.pointer)
        program.instructions.append(.init(operation: operation, inputs: inputs))
        program.values.append(value)
        return program.instructions.count
    }

    /// What is made for the layer at a place, with which its errors then begin.
    func located<Value>(_ place: Place, _ make: () throws(ArchitectureError) -> Value) throws(ArchitectureError) -> Value {
        do { return try make() } catch { throw ArchitectureError(path: place.pointer + error.path, detail: error.detail, cause: error.cause) }
    }

    /// The place of a new parameter. Notes a fault if it is required and did not come, or has another shape.
    mutating func parameter(
        _ name: String, _ shape: [Int], std: Double, isTrainable: Bool = true, layout: NetworkParameter.Layout = .asGiven
    ) -> Int {
        known.insert(name)
        if let given {
            if let came = given[name] {
                if came != shape { faults.append(ParameterFault(name: name, kind: .shape(expected: shape, came: came))) }
            } else {
                faults.append(ParameterFault(name: name, kind: .missing(shape: shape)))
            }
        }
        program.parameters.append(
            NetworkParameter(name: name, shape: shape, standardDeviation: std, isTrainable: isTrainable, layout: layout))
        return program.parameters.count - 1
    }

    mutating func note(_ name: String, _ kind: ParameterFault.Kind) {
        known.insert(name)
        faults.append(ParameterFault(name: name, kind: kind))
    }

    mutating func add(_ layer: Layer, _ flow: Flow, at place: Place) throws(ArchitectureError) -> Flow {
        try meter.step(at: place.pointer)
        switch layer {
        case .serial(let layers): return try serial(layers, flow, at: place)
        case .residual(let layers):
            let value = try single(flow, at: place)
            return try fanInSum(.branches([try serial(layers, flow, at: place), .value(value)]), at: place)
        case .repeated(let layer, let count):
            guard count >= 0 else { throw ArchitectureError(path: place.pointer + "/count", detail: "0 or more expected; \(count) came") }
            var flow = flow
            for index in 0..<count {
                var child = place.child("layer", index)
                child.pointer = place.pointer + "/layer"
                flow = try add(layer, flow, at: child)
            }
            return flow
        case .parallel(let layers): return try parallel(layers, flow, at: place)
        case .fanOut(let count):
            guard count >= 1 else { throw ArchitectureError(path: place.pointer + "/count", detail: "1 or more expected; \(count) came") }
            guard Self.branching(flow) < Self.maximumBranching else {
                throw ArchitectureError(path: place.pointer, detail: "at most \(Self.maximumBranching) fan_outs within each other expected")
            }
            return .branches(Array(repeating: flow, count: count))
        case .fanInSum: return try fanInSum(flow, at: place)
        case .fanInProd: return try fanInProduct(flow, at: place)
        case .fanInConcat(let axis): return try fanInConcat(axis, flow, at: place)
        case .identity: return flow
        case .dropout(let dropout):
            guard dropout.keepProbability > 0, dropout.keepProbability <= 1 else {
                throw ArchitectureError(
                    path: place.pointer + "/keep_probability", detail: "above 0 and at most 1 expected; \(dropout.keepProbability) came")
            }
            // A network that is evaluated drops nothing.
            return flow
        case .mlp(let depth, let activation, let hidden, let readout):
            return try mlp(depth, activation, hidden, readout, flow, at: place)
        case .dense(let affine): return .value(try dense(affine, try single(flow, at: place), at: place))
        case .convolution(let layer): return .value(try convolution(layer, try single(flow, at: place), at: place))
        case .pool, .imageResize, .index, .dotGeneral: return .value(try map(layer, try single(flow, at: place), at: place))
        case .globalPool(let reduction): return .value(try globalPool(reduction, try single(flow, at: place), at: place))
        case .flatten: return .value(try flatten(try single(flow, at: place), at: place))
        case .layerNorm(let norm): return .value(try layerNorm(norm, try single(flow, at: place), at: place))
        case .selfAttention(let layer): return .value(try selfAttention(layer, try single(flow, at: place), at: place))
        case .aggregate: return .value(try aggregate(layer, try single(flow, at: place), at: place))
        case .activation(let function):
            let input = try single(flow, at: place)
            try located(place) { () throws(ArchitectureError) in try ActivationLoop.check(function) }
            return .value(try append(.activation(function), [input], program.values[input], at: place))
        }
    }

    /// Branches within branches.
    private static let maximumBranching = 32

    private static func branching(_ flow: Flow) -> Int {
        var (flow, depth) = (flow, 0)
        // Along the first of each: to look at all may take as long as there are branches.
        while case .branches(let flows) = flow, let first = flows.first { (flow, depth) = (first, depth + 1) }
        return depth
    }

    private mutating func serial(_ layers: [Layer], _ flow: Flow, at place: Place) throws(ArchitectureError) -> Flow {
        var flow = flow
        for (index, layer) in layers.enumerated() {
            var child = place.child("layers", index)
            child.pointer += "/\(index)"
            flow = try add(layer, flow, at: child)
        }
        return flow
    }

    private mutating func parallel(_ layers: [Layer], _ flow: Flow, at place: Place) throws(ArchitectureError) -> Flow {
        guard case .branches(let flows) = flow, flows.count == layers.count else {
            let inputs = if case .branches(let flows) = flow { flows.count } else { 1 }
            throw ArchitectureError(
                path: place.pointer + "/branches",
                detail: "as many branches as inputs expected: \(layers.count) branches and \(inputs) inputs came; put fan_out with count "
                    + "\(layers.count) before")
        }
        var results: [Flow] = []
        for (index, layer) in layers.enumerated() {
            var child = place.child("branches", index)
            child.pointer += "/\(index)"
            results.append(try add(layer, flows[index], at: child))
        }
        return .branches(results)
    }

    /// The parameters are named as those of the serial network that it stands for: layers 0, 2, 4 …
    private mutating func mlp(
        _ depth: Int, _ activation: Activation, _ hidden: Affine, _ readout: Affine, _ flow: Flow, at place: Place
    ) throws(ArchitectureError) -> Flow {
        guard depth >= 0 else { throw ArchitectureError(path: place.pointer + "/depth", detail: "depth must be 0 or more; \(depth) came") }
        var (flow, readout) = (flow, readout)
        if readout.width == nil && given == nil { readout.width = 1 }
        for index in 0...depth {
            var child = place.child("", 2 * index)
            child.pointer = place.pointer
            flow = .value(try dense(index < depth ? hidden : readout, try single(flow, at: place), at: child))
            if index < depth { flow = try add(.activation(activation), flow, at: Place(pointer: place.pointer + "/activation", name: "")) }
        }
        return flow
    }

    /// The one value that a layer takes.
    func single(_ flow: Flow, at place: Place) throws(ArchitectureError) -> Int {
        guard case .value(let value) = flow else {
            throw ArchitectureError(
                path: place.pointer,
                detail: "one input expected; branches came: use parallel, or a fan_in_sum, fan_in_prod or fan_in_concat before")
        }
        return value
    }
}
