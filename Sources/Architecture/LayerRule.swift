package import Activations

/// What a layer is, told once: in the limit of infinite width, as instructions on kernels, and in a finite network, as instructions on values.
///
/// A layer's file in `Layers` holds its parameters, its formula and this rule. A rule is asked once, while an architecture is compiled; what it
/// leaves are plain instructions, which the loops over points, pairs and positions run.
package protocol LayerRule: Sendable {
    /// Appends the instructions of the kernels K and Θ behind the layer.
    /// - Parameters:
    ///   - input: the value before the layer.
    ///   - path: where the layer stands, for errors.
    /// - Returns: the value behind it.
    /// - Throws: `ArchitectureError` where the layer has no kernel on such an input.
    func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int

    /// Appends the instructions of the layer in a finite network, and its parameters.
    /// - Throws: `ArchitectureError` where the layer does not fit its input.
    func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int
}

/// A layer that joins branches.
///
/// Branches are independent: their weights are their own, so that covariances add without cross terms.
package protocol JoiningRule: Sendable {
    /// As in requests, for errors.
    var name: String { get }

    func compile(_ inputs: [Int], into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int

    func compile(_ inputs: [Int], into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int
}

/// A layer that is a constant linear map of positions, the same for every channel: x ← A x gives K ← A K Aᵀ and Θ ← A Θ Aᵀ.
package protocol PositionMapRule: LayerRule {}

extension PositionMapRule {
    /// The finite network applies the map that the kernel applies.
    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        let kernel = try kernel(of: value, at: place.pointer, meter: compiler.meter)
        guard case .map(let map) = kernel.instructions.first?.operation else { preconditionFailure("the layer maps positions") }
        let output = LayerProgram.Value(spatial: kernel.values[1].spatial, channels: value.channels)
        return try compiler.append(.map(map), [input], output, at: place)
    }
}

extension LayerRule {
    /// The layer alone, on kernels of points like those of a finite network's value.
    package func kernel(of value: LayerProgram.Value, at path: String, meter: CompilationMeter) throws(ArchitectureError) -> KernelProgram {
        var compiler = KernelCompiler(spatial: value.spatial, channels: value.channels, isGaussian: true, meter: meter)
        _ = try compile(0, into: &compiler, at: path)
        return compiler.program
    }
}

extension Layer {
    package enum Form {
        /// Puts other layers together: `LayerCompiler` walks through it.
        case combinator
        case layer(any LayerRule)
        case joining(any JoiningRule)
    }

    /// Each layer's rule.
    package var form: Form {
        switch self {
        case .serial, .parallel, .repeated, .residual, .fanOut, .mlp, .identity: .combinator
        case .fanInSum: .joining(FanInSum())
        case .fanInProd: .joining(FanInProduct())
        case .fanInConcat(let axis): .joining(FanInConcat(axis: axis))
        case .dense(let affine): .layer(Dense(affine: affine))
        case .convolution(let convolution): .layer(convolution)
        case .pool(let pool): .layer(pool)
        case .globalPool(let reduction): .layer(GlobalPool(reduction: reduction))
        case .flatten: .layer(Flatten())
        case .layerNorm(let norm): .layer(norm)
        case .groupNorm(let norm): .layer(norm)
        case .dropout(let dropout): .layer(dropout)
        case .selfAttention(let attention): .layer(attention)
        case .aggregate(let axes): .layer(Aggregate(axes: axes))
        case .imageResize(let resize): .layer(resize)
        case .index(let selections): .layer(IndexSelection(selections: selections))
        case .dotGeneral(let product): .layer(product)
        case .activation(let function): .layer(ElementFunction(function: function))
        }
    }
}
