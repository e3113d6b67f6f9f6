package import Activations
import LinearAlgebra

/// Makes the program of the kernels of an infinitely wide network.
///
/// An error's path leads to the layer that is wrong, and its text says what would be right.
package struct KernelCompiler: LayerCompiler {
    /// Instructions of one architecture, repetitions unrolled: beyond any network, and little memory.
    package static let maximumInstructions = 100_000
    package static let maximumPositions = 1 << 24
    /// Channels of a value, which whatever depends on their number takes as they are.
    package static let maximumWidth = 1 << 53
    /// Bytes of an instruction and its value.
    private static let instructionBytes = 256
    /// What it takes to prepare an activation, in steps.
    private static let activationSteps = 200

    package private(set) var program: KernelProgram
    package let meter: CompilationMeter
    /// Activations met so far: some take milliseconds to prepare.
    private var activations: [ActivationStep] = []

    package init(spatial: [Int], channels: Int, isGaussian: Bool = false, meter: CompilationMeter) {
        program = KernelProgram(values: [.init(spatial: spatial, width: channels, isGaussian: isGaussian)])
        self.meter = meter
    }

    /// - Parameters:
    ///   - spatial: extents of the input's spatial axes.
    ///   - channels: the input's last axis.
    package static func compile(
        _ layer: Layer, spatial: [Int], channels: Int, meter: CompilationMeter
    ) throws(ArchitectureError) -> KernelProgram {
        try layer.checkVisits()
        var compiler = KernelCompiler(spatial: spatial, channels: channels, meter: meter)
        let flow = try compiler.add(layer, .value(0), at: .root)
        let output = try compiler.end(flow)
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

    package mutating func append(_ rule: any LayerRule, _ input: Int, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try rule.compile(input, into: &self, at: place.pointer)
    }

    package mutating func join(_ rule: any JoiningRule, _ inputs: [Int], at place: LayerPlace) throws(ArchitectureError) -> Int {
        try rule.compile(inputs, into: &self, at: place.pointer)
    }

    /// Appends an instruction.
    /// - Returns: the value that it makes.
    package mutating func append(
        _ operation: KernelProgram.Operation, _ inputs: [Int], _ value: KernelProgram.Value, at path: String
    ) throws(ArchitectureError) -> Int {
        guard program.instructions.count < Self.maximumInstructions else {
            throw ArchitectureError(path: path, detail: "at most \(Self.maximumInstructions) layers expected, repetitions counted")
        }
        try checkPositions(value, at: path)
        try meter.take(Self.instructionBytes + 16 * (inputs.count + value.spatial.count), at: path)
        program.instructions.append(.init(operation: operation, inputs: inputs))
        program.values.append(value)
        return program.output
    }

    package func checkPositions(_ value: KernelProgram.Value, at path: String) throws(ArchitectureError) {
        guard value.spatial.allSatisfy({ $0 > 0 }) else {
            throw ArchitectureError(path: path, detail: "one position or more along each axis expected; the output here has extents \(value.spatial)")
        }
        guard value.positions <= Self.maximumPositions else {
            throw ArchitectureError(
                path: path, detail: "at most \(Self.maximumPositions) positions expected; the output here has extents \(value.spatial)")
        }
    }

    /// The number of channels of a value that joins those of others.
    package func width(_ width: Int, at path: String) throws(ArchitectureError) -> Int {
        guard width <= Self.maximumWidth else {
            throw ArchitectureError(path: path, detail: "at most 2^53 channels expected; here are more")
        }
        return width
    }

    /// The activation with its dual, which is prepared once for a program.
    package mutating func prepared(_ function: Activation, at path: String) throws(ArchitectureError) -> ActivationStep {
        if let known = activations.firstIndex(where: { $0.activation == function }) {
            try meter.step(known / 8, at: path)
            return activations[known]
        }
        // Some are found only after all others have been looked at, and some take a while to prepare.
        try meter.step(Self.activationSteps + activations.count, at: path)
        let step = try located(path) { () throws(ArchitectureError) in try ActivationStep(function) }
        activations.append(step)
        return step
    }
}
