package import Activations
import LinearAlgebra

/// Makes the program of a finite network: names the parameters, checks the shapes, and lists the operations.
package struct NetworkCompiler: LayerCompiler {
    private static let maximumInstructions = 100_000
    /// Numbers in one value of a point.
    private static let maximumSize = 1 << 28
    /// Entries of a table that says which elements or positions meet.
    package static let maximumTable = 1 << 24
    /// Bytes of an instruction and its value, of a parameter, and of a name that is told of.
    private static let (instructionBytes, parameterBytes) = (256, 256)

    package var program: LayerProgram
    package let meter: CompilationMeter
    /// Shapes of the parameters that came, by name; nil: they are to be drawn, and each layer states its width.
    package let given: [String: [Int]]?
    package let isChannelsFirst: Bool
    private(set) var faults: [ParameterFault] = []
    private var known: Set<String> = []

    /// - Parameter shape: of a point, channels last.
    package static func compile(
        _ layer: Layer, shape: [Int], isChannelsFirst: Bool, given: [String: [Int]]?, meter: CompilationMeter
    ) throws(NetworkError) -> LayerProgram {
        do { try layer.checkVisits() } catch { throw .architecture(error) }
        var compiler = NetworkCompiler(
            program: LayerProgram(values: [.init(spatial: Array(shape.dropLast()), channels: shape[shape.count - 1])]), given: given,
            isChannelsFirst: isChannelsFirst, meter: meter)
        do {
            try compiler.finish(compiler.add(layer, .value(0), at: .root))
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

    private init(program: LayerProgram, given: [String: [Int]]?, isChannelsFirst: Bool, meter: CompilationMeter) {
        self.program = program
        self.meter = meter
        self.given = given
        self.isChannelsFirst = isChannelsFirst
    }

    private mutating func finish(_ flow: LayerFlow) throws(ArchitectureError) {
        var output = try end(flow)
        if isChannelsFirst, !program.values[output].spatial.isEmpty {
            output = try append(.transpose, [output], program.values[output], at: .root)
        }
        program.output = output
    }

    package func readout(_ affine: Affine) -> Affine {
        guard affine.width == nil, given == nil else { return affine }
        var affine = affine
        affine.width = 1
        return affine
    }

    package mutating func append(_ rule: any LayerRule, _ input: Int, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try rule.compile(input, into: &self, at: place)
    }

    package mutating func join(_ rule: any JoiningRule, _ inputs: [Int], at place: LayerPlace) throws(ArchitectureError) -> Int {
        try rule.compile(inputs, into: &self, at: place)
    }

    /// A table that says which elements or positions meet is as long as these.
    package func checkTable(_ count: Int, of things: String, at place: LayerPlace) throws(ArchitectureError) {
        guard count <= Self.maximumTable else {
            throw ArchitectureError(path: place.pointer, detail: "at most \(Self.maximumTable) \(things) expected; here are \(count)")
        }
    }

    /// Appends an instruction.
    /// - Returns: the value that it makes.
    package mutating func append(
        _ operation: LayerProgram.Operation, _ inputs: [Int], _ value: LayerProgram.Value, at place: LayerPlace
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

    /// The place of a new parameter. Notes a fault if it is required and did not come, or has another shape.
    package mutating func parameter(
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

    package mutating func note(_ name: String, _ kind: ParameterFault.Kind) {
        known.insert(name)
        faults.append(ParameterFault(name: name, kind: kind))
    }
}
