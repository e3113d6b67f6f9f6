// Layers with weights, and the activations that need them before.
extension KernelCompiler {
    mutating func dense(_ affine: Affine, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        return try self.affine(affine, taps: 1, input, at: path)
    }

    /// The affine map of the channels that a value holds for each of `taps` positions, already averaged over them.
    private mutating func affine(_ affine: Affine, taps: Double, _ input: Int, at path: String) throws(ArchitectureError) -> Flow {
        let weight = affine.weightStd * affine.weightStd
        let bias = affine.biasStd.map { $0 * $0 } ?? 0
        guard weight.isFinite, bias.isFinite else {
            throw ArchitectureError(path: path, detail: "w_std and b_std must be numbers whose squares are finite")
        }
        var value = program.values[input]
        var step = KernelProgram.AffineStep(weight: weight, bias: bias, input: 0, constant: 0)
        switch affine.parameterization {
        case _ where !affine.isTrainable: break
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
            step.constant = affine.biasStd == nil ? 0 : 1
        }
        value.width = affine.width
        value.isGaussian = true
        return try append(.affine(step), [input], value, at: path)
    }

    mutating func convolution(_ layer: Convolution, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        try requireSpatial(input, layer.variant.rawValue, at: path)
        try checkInput(input, at: path)
        let geometry = try geometry(
            program.values[input].spatial, layer.filterShape, layer.strides, layer.padding, isTransposed: layer.variant == .transpose,
            name: "filter_shape", at: path)
        var value = program.values[input]
        value.spatial = geometry.output
        let window = try append(.window(geometry.trimmed), [input], value, at: path)
        let result = try affine(layer.affine, taps: geometry.positions, try single(window, at: path), at: path)
        guard layer.variant == .local, case .value(let output) = result else { return result }
        return try append(.isolate, [output], program.values[output], at: path)
    }

    func requireSpatial(_ input: Int, _ name: String, at path: String) throws(ArchitectureError) {
        guard !program.values[input].spatial.isEmpty else {
            throw ArchitectureError(
                path: path,
                detail: "an input with spatial axes expected before \(name), such as [n, height, width, channels]; here a point is a vector")
        }
    }

    func geometry(
        _ input: [Int], _ window: [Int], _ strides: [Int]?, _ padding: Padding, isTransposed: Bool = false, name: String, at path: String
    ) throws(ArchitectureError) -> WindowGeometry {
        try located(path) { () throws(ArchitectureError) in
            try WindowGeometry(input: input, window: window, strides: strides, padding: padding, isTransposed: isTransposed, name: name)
        }
    }

    mutating func activation(_ function: Activation, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        var value = program.values[input]
        guard value.isGaussian else {
            throw ArchitectureError(
                path: path,
                detail: "an activation must follow a layer with random weights (dense, conv, attention): only there is its input Gaussian; "
                    + (input == 0 ? "this one stands first" : "this one follows another activation, flatten, dropout or a fan-in"))
        }
        let step = try prepared(function, at: path)
        value.isGaussian = false
        return try append(.activation(step), [input], value, at: path)
    }

    /// What it takes to prepare an activation, in steps.
    private static let activationSteps = 200

    private mutating func prepared(_ function: Activation, at path: String) throws(ArchitectureError) -> ActivationStep {
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

    mutating func layerNorm(_ norm: LayerNorm, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        let value = program.values[input]
        guard value.isGaussian else {
            throw ArchitectureError(path: path, detail: "layer_norm must follow a layer with random weights (dense, conv, attention)")
        }
        guard norm.epsilon >= 0, norm.epsilon.isFinite else {
            throw ArchitectureError(path: path + "/eps", detail: "a number that is not negative expected; \(norm.epsilon) came")
        }
        let rank = value.spatial.count + 2
        var axes: Set<Int> = []
        for (index, axis) in norm.axes.enumerated() {
            guard let axis = axis.resolved(rank: rank), axis > 0 else {
                throw ArchitectureError(path: "\(path)/axes/\(index)", detail: "\"channel\" or a spatial axis from 1 to \(rank - 2) expected")
            }
            axes.insert(axis)
        }
        guard axes.remove(rank - 1) != nil else {
            throw ArchitectureError(path: path + "/axes", detail: "axes with \"channel\" among them expected: only then is there a limit")
        }
        return try append(
            .layerNorm(spatialAxes: axes.map { $0 - 1 }.sorted(), epsilon: norm.epsilon), [input], value, at: path)
    }

    mutating func dropout(_ dropout: Dropout, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        guard dropout.keepProbability > 0, dropout.keepProbability <= 1 else {
            throw ArchitectureError(path: path + "/keep_probability", detail: "above 0 and at most 1 expected; \(dropout.keepProbability) came")
        }
        if input == 0 { throw ArchitectureError(path: path, detail: "dropout of the input has no kernel: put it after a layer") }
        guard dropout.mode == .train else { return flow }
        var value = program.values[input]
        value.isGaussian = false
        return try append(.dropout(keep: dropout.keepProbability), [input], value, at: path)
    }

    mutating func selfAttention(_ layer: SelfAttention, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        try requireSpatial(input, "global_self_attention", at: path)
        guard layer.linearScaling || layer.mechanism == .identity else {
            throw ArchitectureError(
                path: path + "/mechanism",
                detail: "\"identity\" expected where linear_scaling is false: with \(layer.mechanism.rawValue) no closed form is known")
        }
        let squares = [layer.keyStd * layer.queryStd, layer.valueStd * layer.outputStd, layer.biasStd ?? 0, layer.positionalStd].map { $0 * $0 }
        guard squares.allSatisfy(\.isFinite) else {
            throw ArchitectureError(path: path, detail: "standard deviations whose squares are finite expected")
        }
        var value = program.values[input]
        if layer.positionalEmbedding == .concat && value.width == nil {
            throw ArchitectureError(
                path: path, detail: "concatenated embeddings weigh as their share of the channels: give the linear layer before a width")
        }
        let channels = value.width
        value.width = layer.width
        value.isGaussian = true
        return try append(.attention(layer, channels: channels, isAveraged: false), [input], value, at: path)
    }
}
