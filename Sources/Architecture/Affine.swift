package import Activations
import LinearAlgebra

/// The weights and biases of a linear layer: their distribution, and how the network is written in them.
public struct Affine: Sendable, Equatable {
    /// Outputs (channels). The analytic kernel depends on it only where the next layer is in the standard parameterization.
    public var width: Int?
    /// sigma_w.
    public var weightStd: Double
    /// sigma_b; nil: the layer has no bias. 0 is another thing: a bias of zero variance, whose gradient counts in the standard parameterization.
    public var biasStd: Double?
    public var parameterization: Parameterization
    /// Whether the layer's gradient counts in the tangent kernel; a frozen layer only passes on the gradients of those before it.
    public var isTrainable: Bool

    public init(
        width: Int? = nil, weightStd: Double = 1, biasStd: Double? = nil, parameterization: Parameterization = .ntk, isTrainable: Bool = true
    ) {
        self.width = width
        self.weightStd = weightStd
        self.biasStd = biasStd
        self.parameterization = parameterization
        self.isTrainable = isTrainable
    }
}

/// Where the scale of a layer's weights stands, with W, b ~ N(0, 1) in `ntk`:
public enum Parameterization: String, Sendable, CaseIterable {
    /// z = sigma_w / sqrt(fan-in) W x + sigma_b b, so that the kernel has a limit at infinite width.
    case ntk
    /// z = W x + b with W ~ N(0, sigma_w² / fan-in), b ~ N(0, sigma_b²): the kernel grows with the fan-in.
    case standard
}

// What linear layers share.
extension Affine {
    /// The affine map of the channels that a value holds for each of `taps` positions, already averaged over them.
    package func append(to compiler: inout KernelCompiler, taps: Double, _ input: Int, at path: String) throws(ArchitectureError) -> Int {
        let weight = weightStd * weightStd
        let bias = biasStd.map { $0 * $0 } ?? 0
        guard weight.isFinite, bias.isFinite else {
            throw ArchitectureError(path: path, detail: "w_std and b_std must be numbers whose squares are finite")
        }
        var value = compiler.program.values[input]
        var step = KernelProgram.AffineStep(weight: weight, bias: bias, input: 0, constant: 0)
        switch parameterization {
        case _ where !isTrainable: break
        case .ntk:
            step.input = weight
            step.constant = bias
        case .standard:
            guard let width = value.width else {
                throw ArchitectureError(
                    path: path,
                    detail: "the standard parameterization depends on the fan-in: give the linear layer before this one a width")
            }
            step.input = Double(width) * taps
            step.constant = biasStd == nil ? 0 : 1
        }
        value.width = width
        value.isGaussian = true
        return try compiler.append(.affine(step), [input], value, at: path)
    }

    /// An affine map of what a window of positions holds, and its parameters.
    package func append(
        to compiler: inout NetworkCompiler, _ input: Int, _ output: LayerProgram.Value, taps: [Int32]?, window: Int, isLocal: Bool,
        weight: (shape: [Int], layout: NetworkParameter.Layout), bias: [Int], at place: LayerPlace
    ) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        let count = weight.shape.reduce(1) { $0.multipliedClamped(by: $1) }
        guard count <= 1 << 40 else {
            throw ArchitectureError(path: place.pointer, detail: "at most 2^40 weights a layer expected; shape \(weight.shape) has more")
        }
        let isScaled = parameterization == .ntk
        let scale = weightStd / (Double(window) * Double(value.channels)).squareRoot()
        guard scale.isFinite, (biasStd ?? 0).isFinite else {
            throw ArchitectureError(path: place.pointer, detail: "w_std and b_std must be finite numbers")
        }
        let weightIndex = compiler.parameter(
            place.parameter("weight"), weight.shape, std: isScaled ? 1 : scale, isTrainable: isTrainable, layout: weight.layout)
        var biasIndex: Int?
        let biasName = place.parameter("bias")
        if let given = compiler.given {
            if given[biasName] != nil {
                if isScaled && biasStd == nil {
                    compiler.note(biasName, .biasWithoutScale)
                } else {
                    biasIndex = compiler.parameter(biasName, bias, std: biasStd ?? 0, isTrainable: isTrainable)
                }
            }
        } else if let std = biasStd {
            biasIndex = compiler.parameter(biasName, bias, std: isScaled ? 1 : std, isTrainable: isTrainable)
        }
        let step = LayerProgram.LinearStep(
            taps: taps, window: window, inputChannels: value.channels, outputChannels: output.channels, inputPositions: value.positions,
            outputPositions: output.positions, weight: weightIndex, bias: biasIndex, weightScale: isScaled ? scale : 1,
            biasScale: isScaled ? biasStd ?? 0 : 1, isLocal: isLocal)
        return try compiler.append(.linear(step), [input], output, at: place)
    }

    /// The outputs of a layer in a finite network: what it states, or what its weights have.
    package func width(_ came: Int?, in compiler: NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let width = width ?? came ?? (compiler.given == nil ? nil : 1)
        guard let width, width > 0, width <= 1 << 32 else {
            throw ArchitectureError(
                path: place.pointer + "/width", detail: "the layer's number of outputs expected, as there are no weights that tell it")
        }
        return width
    }
}
