package import Activations
import LinearAlgebra

/// Self-attention over all positions (Hron et al. 2020, arXiv 2006.10540).
public struct SelfAttention: Sendable, Equatable {
    /// What is done to the scores along the keys.
    public enum Mechanism: String, Sendable, CaseIterable {
        case softmax, identity, abs, relu
    }

    public enum PositionalEmbedding: String, Sendable, CaseIterable {
        case none
        /// Added to the input.
        case sum
        /// Beside the input's channels.
        case concat
    }

    /// Channels of the output, of the keys and of the values of a finite network.
    public var width: Int?
    public var heads: Int
    /// Scores divided by the keys' channels (queries and keys then have the same weights), or by their square root.
    public var linearScaling: Bool
    public var keyStd, valueStd, queryStd, outputStd: Double
    public var biasStd: Double?
    public var mechanism: Mechanism
    public var positionalEmbedding: PositionalEmbedding
    /// The embeddings of two positions have covariance decay(Σ |i − j|^p), with no decay the identity.
    public var positionalNorm: Double
    public var positionalStd: Double
    /// Channels of concatenated embeddings; nil: as many as the input's.
    public var positionalWidth: Int?
    /// exp(−decay · Σ |i − j|^p); nil: embeddings of different positions are independent.
    public var positionalDecay: Double?
    /// Whether the values see the embedding too.
    public var embedsValues: Bool
    public var isTrainable: Bool

    public init(
        width: Int? = nil, heads: Int = 1, linearScaling: Bool = true, keyStd: Double = 1, valueStd: Double = 1, queryStd: Double = 1,
        outputStd: Double = 1, biasStd: Double? = nil, mechanism: Mechanism = .softmax, positionalEmbedding: PositionalEmbedding = .none,
        positionalNorm: Double = 2, positionalStd: Double = 1, positionalWidth: Int? = nil, positionalDecay: Double? = nil,
        embedsValues: Bool = false, isTrainable: Bool = true
    ) {
        self.width = width
        self.heads = heads
        self.linearScaling = linearScaling
        self.keyStd = keyStd
        self.valueStd = valueStd
        self.queryStd = queryStd
        self.outputStd = outputStd
        self.biasStd = biasStd
        self.mechanism = mechanism
        self.positionalEmbedding = positionalEmbedding
        self.positionalNorm = positionalNorm
        self.positionalStd = positionalStd
        self.positionalWidth = positionalWidth
        self.positionalDecay = positionalDecay
        self.embedsValues = embedsValues
        self.isTrainable = isTrainable
    }
}

// In the limit of many heads: `SpatialPass+Attention`.
extension SelfAttention: LayerRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, "global_self_attention", at: path)
        guard linearScaling || mechanism == .identity else {
            throw ArchitectureError(
                path: path + "/mechanism",
                detail: "\"identity\" expected where linear_scaling is false: with \(mechanism.rawValue) no closed form is known")
        }
        let squares = [keyStd * queryStd, valueStd * outputStd, biasStd ?? 0, positionalStd].map { $0 * $0 }
        guard squares.allSatisfy(\.isFinite) else {
            throw ArchitectureError(path: path, detail: "standard deviations whose squares are finite expected")
        }
        if positionalEmbedding == .concat && value.width == nil {
            throw ArchitectureError(
                path: path, detail: "concatenated embeddings weigh as their share of the channels: give the linear layer before a width")
        }
        let channels = value.width
        value.width = width
        value.isGaussian = true
        return try compiler.append(.attention(self, channels: channels, isAveraged: false), [input], value, at: path)
    }

    /// Multi-head attention over all positions in the "ntk" parameterization, as neural-tangents' `GlobalSelfAttention`:
    ///
    ///     scores = σ_q σ_k / (c · d^{1 or ½}) Q Kᵀ,   f = σ_o σ_v / √(d · heads · c) · concat(mechanism(scores) V) Oᵀ + σ_b b
    ///
    /// with c the input's channels (positional embeddings counted) and d those of a head. Parameters: `.query.weight` (absent with linear
    /// scaling: queries and keys are one), `.key.weight`, `.value.weight` [heads · d, c], `.out.weight` [width, heads · d], `.out.bias`,
    /// `.positional_embedding` [positions, channels].
    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let (spatial, positions) = (compiler.program.values[input].spatial, compiler.program.values[input].positions)
        try compiler.requireSpatial(spatial, "global_self_attention", at: place.pointer)
        let came = compiler.given?[place.parameter("out.weight")]?.first
        guard let width = width ?? came ?? (compiler.given == nil ? nil : 1), width > 0, width <= 1 << 24 else {
            throw ArchitectureError(path: place.pointer + "/width", detail: "the layer's number of outputs expected, from 1 to 2^24")
        }
        let stds = [keyStd, queryStd, valueStd, outputStd, biasStd ?? 0, positionalStd]
        guard stds.allSatisfy(\.isFinite), heads > 0 else {
            throw ArchitectureError(path: place.pointer, detail: "finite standard deviations and one head or more expected")
        }
        let embedded = try embed(input, positions, into: &compiler, at: place)
        let valueInput = embedsValues ? embedded : input
        let inner = heads.multipliedClamped(by: width)
        guard inner <= 1 << 24 else { throw ArchitectureError(path: place.pointer, detail: "at most 2^24 heads · width expected; \(inner) came") }
        func project(_ name: String, _ input: Int, _ width: Int, scale: Double, bias: Double?) throws(ArchitectureError) -> Int {
            let channels = compiler.program.values[input].channels
            let weight = compiler.parameter(place.parameter(name + ".weight"), [width, channels], std: 1, isTrainable: isTrainable)
            let biasName = place.parameter(name + ".bias")
            var biasIndex: Int?
            if bias != nil, compiler.given == nil || compiler.given?[biasName] != nil {
                biasIndex = compiler.parameter(biasName, [width], std: 1, isTrainable: isTrainable)
            }
            let step = LayerProgram.LinearStep(
                taps: nil, window: 1, inputChannels: channels, outputChannels: width, inputPositions: positions, outputPositions: positions,
                weight: weight, bias: biasIndex, weightScale: scale, biasScale: bias ?? 0, isLocal: false)
            return try compiler.append(.linear(step), [input], .init(spatial: spatial, channels: width), at: place)
        }
        let keys = try project("key", embedded, inner, scale: 1, bias: nil)
        let queries = linearScaling ? keys : try project("query", embedded, inner, scale: 1, bias: nil)
        let values = try project("value", valueInput, inner, scale: 1, bias: nil)
        let channels = Double(compiler.program.values[embedded].channels)
        let depth = linearScaling ? Double(width) : Double(width).squareRoot()
        let grid = LayerProgram.Value(spatial: [heads * positions], channels: positions)
        var scores = try compiler.append(
            .scores(heads: heads, factor: queryStd * keyStd / (channels * depth)), [queries, keys], grid, at: place)
        switch mechanism {
        case .softmax: scores = try compiler.append(.softmax, [scores], grid, at: place)
        case .abs: scores = try compiler.append(.activation(.abRelu(a: -1, b: 1)), [scores], grid, at: place)
        case .relu: scores = try compiler.append(.activation(.relu), [scores], grid, at: place)
        case .identity: break
        }
        let heads = try compiler.append(.attend(heads: heads), [scores, values], .init(spatial: spatial, channels: inner), at: place)
        let scale = outputStd * valueStd / (Double(inner) * Double(compiler.program.values[valueInput].channels)).squareRoot()
        return try project("out", heads, width, scale: scale, bias: biasStd)
    }

    private func embed(
        _ input: Int, _ positions: Int, into compiler: inout NetworkCompiler, at place: LayerPlace
    ) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        guard positionalEmbedding != .none else { return input }
        guard positionalDecay == nil || compiler.given != nil else {
            throw ArchitectureError(
                path: place.pointer + "/positional_decay", detail: "no decay expected where parameters are drawn: embeddings are drawn independently")
        }
        let width = positionalEmbedding == .sum ? value.channels : positionalWidth ?? value.channels
        let index = compiler.parameter(place.parameter("positional_embedding"), [positions, width], std: 1, isTrainable: isTrainable)
        let embedding = try compiler.append(
            .embedding(parameter: index, factor: positionalStd), [], .init(spatial: value.spatial, channels: width), at: place)
        if positionalEmbedding == .sum { return try compiler.append(.sum, [input, embedding], value, at: place) }
        let output = LayerProgram.Value(spatial: value.spatial, channels: value.channels + width)
        return try compiler.append(.concatenate(outer: positions, lengths: [value.channels, width]), [input, embedding], output, at: place)
    }
}
