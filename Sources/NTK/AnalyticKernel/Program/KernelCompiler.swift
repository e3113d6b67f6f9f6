/// Walks an architecture's tree, checks it, and lists its operations.
///
/// An error's path leads to the layer that is wrong, and its text says what would be right.
struct KernelCompiler {
    /// What flows between layers: a value, or the branches between a fan-out and a fan-in.
    indirect enum Flow {
        case value(Int)
        case branches([Flow])
    }

    /// Instructions of one architecture, repetitions unrolled: beyond any network, and little memory.
    static let maximumInstructions = 100_000
    static let maximumPositions = 1 << 24
    /// Channels of a value, which whatever depends on their number takes as they are.
    static let maximumWidth = 1 << 53
    /// Branches within branches.
    private static let maximumBranching = 32
    /// Bytes of an instruction and its value.
    private static let instructionBytes = 256

    private(set) var program: KernelProgram
    let meter: CompilationMeter
    /// Activations met so far: some take milliseconds to prepare.
    var activations: [ActivationStep] = []

    /// - Parameters:
    ///   - spatial: extents of the input's spatial axes.
    ///   - channels: the input's last axis.
    static func compile(
        _ layer: Layer, spatial: [Int], channels: Int, meter: CompilationMeter
    ) throws(ArchitectureError) -> KernelProgram {
        try layer.checkVisits()
        var compiler = KernelCompiler(
            program: KernelProgram(values: [.init(spatial: spatial, width: channels, isGaussian: false)]), meter: meter)
        let flow = try compiler.add(layer, .value(0), at: "")
        guard case .value(let output) = flow else {
            throw ArchitectureError(path: "", detail: "one output expected; the branches at the end need a fan_in_sum, fan_in_prod or fan_in_concat")
        }
        let left = compiler.program.values[output].spatial
        guard left.isEmpty else {
            throw ArchitectureError(
                path: "", detail: "an output without spatial axes expected; \(left) are left: end with flatten or global_avg_pool")
        }
        if output != compiler.program.output {
            // The last value made is not the output, as with an unused branch or no layers at all.
            _ = try compiler.append(.concatenateChannels([1]), [output], compiler.program.values[output], at: "")
        }
        compiler.program.averageAttentions()
        return compiler.program
    }

    mutating func append(
        _ operation: KernelProgram.Operation, _ inputs: [Int], _ value: KernelProgram.Value, at path: String
    ) throws(ArchitectureError) -> Flow {
        guard program.instructions.count < Self.maximumInstructions else {
            throw ArchitectureError(path: path, detail: "at most \(Self.maximumInstructions) layers expected, repetitions counted")
        }
        try checkPositions(value, at: path)
        try meter.take(Self.instructionBytes + 16 * (inputs.count + value.spatial.count), at: path)
        program.instructions.append(.init(operation: operation, inputs: inputs))
        program.values.append(value)
        return .value(program.output)
    }

    func checkPositions(_ value: KernelProgram.Value, at path: String) throws(ArchitectureError) {
        guard value.spatial.allSatisfy({ $0 > 0 }) else {
            throw ArchitectureError(path: path, detail: "one position or more along each axis expected; the output here has extents \(value.spatial)")
        }
        guard value.positions <= Self.maximumPositions else {
            throw ArchitectureError(
                path: path, detail: "at most \(Self.maximumPositions) positions expected; the output here has extents \(value.spatial)")
        }
    }

    /// Positions are numbered by 32 bits where a layer combines them.
    func checkInput(_ input: Int, at path: String) throws(ArchitectureError) {
        let value = program.values[input]
        guard value.positions <= Int(Int32.max) else {
            throw ArchitectureError(path: path, detail: "an input of fewer than 2^31 positions expected; it has extents \(value.spatial)")
        }
    }

    /// The number of channels of a value that joins those of others.
    func width(_ width: Int, at path: String) throws(ArchitectureError) -> Int {
        guard width <= Self.maximumWidth else {
            throw ArchitectureError(path: path, detail: "at most 2^53 channels expected; here are more")
        }
        return width
    }

    /// What is made for the layer at `path`, whose errors then begin with that.
    func located<Value>(_ path: String, _ make: () throws(ArchitectureError) -> Value) throws(ArchitectureError) -> Value {
        do { return try make() } catch { throw ArchitectureError(path: path + error.path, detail: error.detail, cause: error.cause) }
    }

    mutating func add(_ layer: Layer, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        try meter.step(at: path)
        switch layer {
        case .serial(let layers): return try serial(layers, flow, at: path + "/layers")
        case .residual(let layers):
            let value = try single(flow, at: path)
            let branch = try serial(layers, flow, at: path + "/layers")
            return try fanInSum(.branches([branch, .value(value)]), at: path)
        case .repeated(let layer, let count):
            guard count >= 0 else { throw ArchitectureError(path: path + "/count", detail: "0 or more expected; \(count) came") }
            var flow = flow
            for _ in 0..<count { flow = try add(layer, flow, at: path + "/layer") }
            return flow
        case .parallel(let layers):
            guard case .branches(let flows) = flow, flows.count == layers.count else {
                throw ArchitectureError(
                    path: path + "/branches",
                    detail: "as many branches as inputs expected: \(layers.count) branches came and \(Self.count(flow)); "
                        + "put fan_out with count \(layers.count) before")
            }
            var results: [Flow] = []
            for (index, layer) in layers.enumerated() { results.append(try add(layer, flows[index], at: "\(path)/branches/\(index)")) }
            return .branches(results)
        case .fanOut(let count):
            guard count >= 1 else { throw ArchitectureError(path: path + "/count", detail: "1 or more expected; \(count) came") }
            guard Self.branching(flow) < Self.maximumBranching else {
                throw ArchitectureError(path: path, detail: "at most \(Self.maximumBranching) fan_outs within each other expected")
            }
            return .branches(Array(repeating: flow, count: count))
        case .fanInSum: return try fanInSum(flow, at: path)
        case .fanInProd: return try fanInProduct(flow, at: path)
        case .fanInConcat(let axis): return try fanInConcat(axis, flow, at: path)
        case .identity: return flow
        case .mlp(let depth, let activation, let hidden, let readout):
            guard depth >= 0 else { throw ArchitectureError(path: path + "/depth", detail: "depth must be 0 or more; \(depth) came") }
            var flow = flow
            for _ in 0..<depth {
                try meter.step(2, at: path)
                flow = try dense(hidden, flow, at: path)
                flow = try self.activation(activation, flow, at: path + "/activation")
            }
            return try dense(readout, flow, at: path)
        case .dense(let affine): return try dense(affine, flow, at: path)
        case .convolution(let convolution): return try self.convolution(convolution, flow, at: path)
        case .pool(let pool): return try self.pool(pool, flow, at: path)
        case .globalPool(let reduction): return try globalPool(reduction, flow, at: path)
        case .flatten: return try flatten(flow, at: path)
        case .layerNorm(let norm): return try layerNorm(norm, flow, at: path)
        case .dropout(let dropout): return try self.dropout(dropout, flow, at: path)
        case .selfAttention(let attention): return try selfAttention(attention, flow, at: path)
        case .aggregate(let axes): return try aggregate(axes, flow, at: path)
        case .imageResize(let resize): return try imageResize(resize, flow, at: path)
        case .index(let selections): return try index(selections, flow, at: path)
        case .dotGeneral(let product): return try dotGeneral(product, flow, at: path)
        case .activation(let function): return try self.activation(function, flow, at: path)
        }
    }

    private mutating func serial(_ layers: [Layer], _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        var flow = flow
        for (index, layer) in layers.enumerated() { flow = try add(layer, flow, at: "\(path)/\(index)") }
        return flow
    }

    /// The one value that a layer takes.
    func single(_ flow: Flow, at path: String) throws(ArchitectureError) -> Int {
        guard case .value(let value) = flow else {
            throw ArchitectureError(
                path: path, detail: "one input expected; \(Self.count(flow)) came: use parallel, or a fan_in_sum, fan_in_prod or fan_in_concat before"
            )
        }
        return value
    }

    /// How many lists of branches stand within each other.
    static func branching(_ flow: Flow) -> Int {
        var (flow, depth) = (flow, 0)
        // Along the first of each: to look at all may take as long as there are branches.
        while case .branches(let flows) = flow, let first = flows.first { (flow, depth) = (first, depth + 1) }
        return depth
    }

    static func count(_ flow: Flow) -> String {
        switch flow {
        case .value: "1 input"
        case .branches(let flows): "\(flows.count) inputs"
        }
    }
}
