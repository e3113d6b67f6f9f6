internal import NTK

/// A serial network of dense layers: affine maps z^{l+1} = W s_l(z^l)/√n_l + b with one function between each two.
struct LayerChain: Sendable {
    struct Map: Sendable {
        let affine: Affine
        let path: String
    }

    /// One or more.
    private(set) var maps: [Map] = []
    /// One less than maps.
    private(set) var functions: [ScalarFunction] = []
    /// Whether points become vectors before the first map.
    private(set) var flattens = false
    private var isAfterFunction = false

    /// Layers, repetitions counted: beyond any network that the first order in 1/n says something of.
    private static let mostLayers = 10_000

    init(_ architecture: Layer) throws(ArchitectureError) {
        try append(architecture, at: "")
        guard !maps.isEmpty, !isAfterFunction else {
            throw ArchitectureError(path: "", detail: "a dense layer at the end, whose outputs are those of the network, expected")
        }
        let widths = maps.dropLast().map(\.affine.width)
        guard widths.allSatisfy({ $0 == nil }) || widths.allSatisfy({ $0 != nil }) else {
            let missing = maps.first { $0.affine.width == nil }
            throw ArchitectureError(
                path: missing?.path ?? "", detail: "widths of all hidden layers, whose ratios are kept, or of none expected; this one has none")
        }
    }

    private mutating func append(_ layer: Layer, at path: String) throws(ArchitectureError) {
        switch layer {
        case .serial(let layers):
            for (index, layer) in layers.enumerated() { try append(layer, at: "\(path)/layers/\(index)") }
        case .repeated(let layer, let count):
            for _ in 0..<max(count, 0) {
                let before = (maps.count, isAfterFunction)
                try append(layer, at: path + "/layer")
                // What adds nothing may be repeated without end.
                if before == (maps.count, isAfterFunction) { break }
            }
        case .mlp(let depth, let activation, let hidden, let readout):
            for _ in 0..<max(depth, 0) {
                try append(hidden, at: path)
                try append(activation, at: path)
            }
            try append(readout, at: path)
        case .dense(let affine): try append(affine, at: path)
        case .activation(let activation): try append(activation, at: path)
        case .identity: break
        case .flatten where maps.isEmpty: flattens = true
        case .dropout(let dropout) where dropout.mode == .test || dropout.keepProbability == 1: break
        default:
            throw ArchitectureError(
                path: path,
                detail: "dense layers with activations between them, one after another, expected: of other layers the first order in 1/width is not "
                    + "known here")
        }
    }

    private mutating func append(_ affine: Affine, at path: String) throws(ArchitectureError) {
        guard maps.count < Self.mostLayers else {
            throw ArchitectureError(path: path, detail: "at most \(Self.mostLayers) dense layers expected, repetitions counted")
        }
        if !maps.isEmpty && !isAfterFunction { functions.append(ScalarFunction(nil)) }
        maps.append(Map(affine: affine, path: path))
        isAfterFunction = false
    }

    private mutating func append(_ activation: Activation, at path: String) throws(ArchitectureError) {
        guard !maps.isEmpty, !isAfterFunction else {
            throw ArchitectureError(
                path: path,
                detail: "an activation must follow a dense layer: only there is its input Gaussian in the limit; "
                    + (maps.isEmpty ? "this one stands first" : "this one follows another activation"))
        }
        if case .expNormalized = activation {
            throw ArchitectureError(path: path, detail: "an activation that is a function expected: exp_normalized is a kernel that belongs to none")
        }
        functions.append(ScalarFunction(activation))
        isAfterFunction = true
    }

    /// The smallest hidden width; nil where none is given, or there is no hidden layer.
    var width: Int? { maps.dropLast().compactMap(\.affine.width).min() }

    /// Hidden widths in units of the smallest one.
    var ratios: [Double] {
        guard let width else { return maps.dropLast().map { _ in 1 } }
        return maps.dropLast().map { Double($0.affine.width ?? width) / Double(width) }
    }

    /// The same with one width for all hidden layers, and one output.
    var uniform: LayerChain {
        var chain = self
        chain.maps = maps.map { map in
            var affine = map.affine
            affine.width = nil
            return Map(affine: affine, path: map.path)
        }
        return chain
    }

    /// Channels of the readout.
    var outputs: Int { maps.last?.affine.width ?? 1 }

    /// Where the tangent kernel grows with the width.
    var dependsOnWidth: Bool { maps.dropFirst().contains { $0.affine.parameterization == .standard && $0.affine.isTrainable } }
}
