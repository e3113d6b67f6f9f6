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
