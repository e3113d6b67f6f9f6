import LinearAlgebra

// Layer normalization and self-attention.
extension NetworkCompiler {
    /// (x − mean)/√(variance + ε) over the axes, then γ x + β where `.weight` or `.bias` came.
    mutating func layerNorm(_ norm: LayerNorm, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        guard norm.epsilon >= 0, norm.epsilon.isFinite else {
            throw ArchitectureError(path: place.pointer + "/eps", detail: "a number that is not negative expected; \(norm.epsilon) came")
        }
        let value = program.values[input]
        let shape = value.spatial + [value.channels]
        var axes: Set<Int> = []
        for (index, axis) in norm.axes.enumerated() {
            guard let axis = axis.resolved(rank: shape.count + 1), axis > 0 else {
                throw ArchitectureError(
                    path: "\(place.pointer)/axes/\(index)", detail: "\"channel\" or a spatial axis from 1 to \(shape.count - 1) expected")
            }
            axes.insert(axis - 1)
        }
        guard value.size <= Self.maximumTable else {
            throw ArchitectureError(path: place.pointer, detail: "at most \(Self.maximumTable) numbers a point expected; here are \(value.size)")
        }
        try meter.take(value.size * 8, at: place.pointer)
        try meter.step(value.size.multipliedClamped(by: 4), at: place.pointer)
        // The normalized axes in the order of the data format: that of the parameters.
        let ordered = (isChannelsFirst ? [shape.count - 1] + Array(0..<shape.count - 1) : Array(shape.indices)).filter { axes.contains($0) }
        var groups: [Int32] = []
        var places: [Int32] = []
        forEachIndex(shape) { index in
            groups.append(Int32(index.indices.filter { !axes.contains($0) }.reduce(0) { $0 * shape[$1] + index[$1] }))
            places.append(Int32(ordered.reduce(0) { $0 * shape[$1] + index[$1] }))
        }
        let count = shape.indices.filter { !axes.contains($0) }.reduce(1) { $0 * shape[$1] }
        var output = try append(.normalize(groups: groups, groupCount: count, epsilon: norm.epsilon), [input], value, at: place)
        let names = [place.parameter("weight"), place.parameter("bias")]
        let parameters = names.map { name -> Int? in
            given?[name] == nil ? nil : parameter(name, ordered.map { shape[$0] }, std: 0)
        }
        if parameters[0] != nil || parameters[1] != nil {
            output = try append(.scale(weight: parameters[0], bias: parameters[1], places: places), [output], value, at: place)
        }
        return output
    }

    /// Multi-head attention over all positions in the "ntk" parameterization, as neural-tangents' `GlobalSelfAttention`:
    ///
    ///     scores = σ_q σ_k / (c · d^{1 or ½}) Q Kᵀ,   f = σ_o σ_v / √(d · heads · c) · concat(mechanism(scores) V) Oᵀ + σ_b b
    ///
    /// with c the input's channels (positional embeddings counted) and d those of a head. Parameters: `.query.weight` (absent with linear
    /// scaling: queries and keys are one), `.key.weight`, `.value.weight` [heads · d, c], `.out.weight` [width, heads · d], `.out.bias`,
    /// `.positional_embedding` [positions, channels].
    mutating func selfAttention(_ layer: SelfAttention, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        try requireSpatial(input, "global_self_attention", at: place)
        let positions = program.values[input].positions
        let given = given?[place.parameter("out.weight")]?.first
        guard let width = layer.width ?? given ?? (self.given == nil ? nil : 1), width > 0, width <= 1 << 24 else {
            throw ArchitectureError(path: place.pointer + "/width", detail: "the layer's number of outputs expected, from 1 to 2^24")
        }
        let stds = [layer.keyStd, layer.queryStd, layer.valueStd, layer.outputStd, layer.biasStd ?? 0, layer.positionalStd]
        guard stds.allSatisfy(\.isFinite), layer.heads > 0 else {
            throw ArchitectureError(path: place.pointer, detail: "finite standard deviations and one head or more expected")
        }
        let spatial = program.values[input].spatial
        let embedded = try embed(layer, input, positions, at: place)
        let valueInput = layer.embedsValues ? embedded : input
        let inner = layer.heads.multipliedClamped(by: width)
        guard inner <= 1 << 24 else { throw ArchitectureError(path: place.pointer, detail: "at most 2^24 heads · width expected; \(inner) came") }
        func project(_ name: String, _ input: Int, _ width: Int, scale: Double, bias: Double?) throws(ArchitectureError) -> Int {
            let channels = program.values[input].channels
            let weight = parameter(place.parameter(name + ".weight"), [width, channels], std: 1, isTrainable: layer.isTrainable)
            let biasName = place.parameter(name + ".bias")
            var biasIndex: Int?
            if let bias, self.given == nil || self.given?[biasName] != nil {
                biasIndex = parameter(biasName, [width], std: 1, isTrainable: layer.isTrainable)
                _ = bias
            }
            let step = NetworkProgram.LinearStep(
                taps: nil, window: 1, inputChannels: channels, outputChannels: width, inputPositions: positions, outputPositions: positions,
                weight: weight, bias: biasIndex, weightScale: scale, biasScale: bias ?? 0, isLocal: false)
            return try append(.linear(step), [input], .init(spatial: spatial, channels: width), at: place)
        }
        let keys = try project("key", embedded, inner, scale: 1, bias: nil)
        let queries = layer.linearScaling ? keys : try project("query", embedded, inner, scale: 1, bias: nil)
        let values = try project("value", valueInput, inner, scale: 1, bias: nil)
        let channels = Double(program.values[embedded].channels)
        let depth = layer.linearScaling ? Double(width) : Double(width).squareRoot()
        let grid = NetworkProgram.Value(spatial: [layer.heads * positions], channels: positions)
        var scores = try append(
            .scores(heads: layer.heads, factor: layer.queryStd * layer.keyStd / (channels * depth)), [queries, keys], grid, at: place)
        switch layer.mechanism {
        case .softmax: scores = try append(.softmax, [scores], grid, at: place)
        case .abs: scores = try append(.activation(.abRelu(a: -1, b: 1)), [scores], grid, at: place)
        case .relu: scores = try append(.activation(.relu), [scores], grid, at: place)
        case .identity: break
        }
        let heads = try append(.attend(heads: layer.heads), [scores, values], .init(spatial: spatial, channels: inner), at: place)
        let scale = layer.outputStd * layer.valueStd / (Double(inner) * Double(program.values[valueInput].channels)).squareRoot()
        return try project("out", heads, width, scale: scale, bias: layer.biasStd)
    }

    private mutating func embed(_ layer: SelfAttention, _ input: Int, _ positions: Int, at place: Place) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        guard layer.positionalEmbedding != .none else { return input }
        guard layer.positionalDecay == nil || given != nil else {
            throw ArchitectureError(
                path: place.pointer + "/positional_decay", detail: "no decay expected where parameters are drawn: embeddings are drawn independently")
        }
        let width = layer.positionalEmbedding == .sum ? value.channels : layer.positionalWidth ?? value.channels
        let index = parameter(place.parameter("positional_embedding"), [positions, width], std: 1, isTrainable: layer.isTrainable)
        let embedding = try append(
            .embedding(parameter: index, factor: layer.positionalStd), [], .init(spatial: value.spatial, channels: width), at: place)
        if layer.positionalEmbedding == .sum { return try append(.sum, [input, embedding], value, at: place) }
        let output = NetworkProgram.Value(spatial: value.spatial, channels: value.channels + width)
        return try append(.concatenate(outer: positions, lengths: [value.channels, width]), [input, embedding], output, at: place)
    }
}
