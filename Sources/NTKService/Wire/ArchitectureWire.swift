internal import NTK
internal import TensorFormats

/// Reads an architecture: a tree of objects with a `type` each.
enum ArchitectureWire {
    /// Each layer's name and how its other fields are read.
    private static let layers: [(name: String, read: @Sendable (inout ObjectReader) throws(ProblemDetails) -> Layer)] = [
        ("serial", { reader throws(ProblemDetails) in .serial(try children("layers", &reader)) }),
        ("parallel", { reader throws(ProblemDetails) in .parallel(try children("branches", &reader)) }),
        ("repeat", repeated),
        ("residual", { reader throws(ProblemDetails) in .residual(try children("layers", &reader)) }),
        ("fan_out", { reader throws(ProblemDetails) in .fanOut(try reader.requiredInteger("count", in: 1...1024)) }),
        ("fan_in_sum", { _ in .fanInSum }),
        ("fan_in_prod", { _ in .fanInProd }),
        ("fan_in_concat", { reader throws(ProblemDetails) in .fanInConcat(try axis("axis", &reader, default: .channel)) }),
        ("mlp", mlp),
        ("dense", { reader throws(ProblemDetails) in .dense(try affine(&reader)) }),
        ("conv", { reader throws(ProblemDetails) in try convolution(.shared, &reader) }),
        ("conv_local", { reader throws(ProblemDetails) in try convolution(.local, &reader) }),
        ("conv_transpose", { reader throws(ProblemDetails) in try convolution(.transpose, &reader) }),
        ("avg_pool", { reader throws(ProblemDetails) in try pool(.average, &reader) }),
        ("sum_pool", { reader throws(ProblemDetails) in try pool(.sum, &reader) }),
        ("global_avg_pool", { _ in .globalPool(.average) }),
        ("global_sum_pool", { _ in .globalPool(.sum) }),
        ("flatten", { _ in .flatten }),
        ("identity", { _ in .identity }),
        ("layer_norm", layerNorm),
        ("dropout", dropout),
        ("global_self_attention", selfAttention),
        ("aggregate", aggregate),
        ("image_resize", imageResize),
        ("index", index),
        ("dot_general", dotGeneral),
    ]
    /// Hidden layers of an `mlp`, repetitions: far beyond any use.
    private static let counts = 0...10_000
    private static let widths = 1...(1 << 40)
    static let sizes = 1...(1 << 20)

    /// - Parameter isNetwork: the architecture of a finite network, where the parameterization is "standard" unless stated.
    static func layer(_ value: JSONValue, at pointer: String, isNetwork: Bool = false) throws(ProblemDetails) -> Layer {
        try read(value, at: pointer, isNetwork: isNetwork, isCanonical: false).layer
    }

    /// The same, and the text that all architectures have that differ only in how they are written: with defaults or without, in this or that
    /// order and form of numbers. Read again it is the same architecture.
    static func canonical(
        _ value: JSONValue, at pointer: String, isNetwork: Bool = false
    ) throws(ProblemDetails) -> (layer: Layer, text: String) {
        let (layer, canonical) = try read(value, at: pointer, isNetwork: isNetwork, isCanonical: true)
        return (layer, (canonical ?? value).canonicalText)
    }

    private static func read(
        _ value: JSONValue, at pointer: String, isNetwork: Bool, isCanonical: Bool
    ) throws(ProblemDetails) -> (layer: Layer, canonical: JSONValue?) {
        var reader = try ObjectReader(value, at: pointer, isCanonical: isCanonical)
        reader.isNetwork = isNetwork
        let type = try reader.required("type", "the name of a layer")
        guard case .string(let name) = type else { throw .invalid(reader.pointer(to: "type"), "the name of a layer expected; \(type.kindName) came") }
        let layer = try layer(name, &reader)
        try reader.finish()
        return (layer, reader.canonical)
    }

    private static func layer(_ name: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        if let entry = layers.first(where: { $0.name == name }) { return try entry.read(&reader) }
        if let activation = try ActivationWire.activation(name, &reader) { return .activation(activation) }
        let names = layers.map(\.name) + ActivationWire.names
        throw .invalid(reader.pointer(to: "type"), "one of \(names.joined(separator: ", ")) expected; \"\(name.prefix(40))\" came")
    }

    private static func children(_ field: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> [Layer] {
        let value = try reader.required(field, "a list of layers")
        let pointer = reader.pointer(to: field)
        guard let values = value.listElements else { throw .invalid(pointer, "a list of layers expected; \(value.kindName) came") }
        var layers: [Layer] = []
        var canonical: [JSONValue] = []
        for (index, value) in values.enumerated() {
            let child = try read(value, at: "\(pointer)/\(index)", isNetwork: reader.isNetwork, isCanonical: reader.isCanonical)
            layers.append(child.layer)
            if let value = child.canonical { canonical.append(value) }
        }
        reader.setCanonical(field, .array(canonical))
        return layers
    }

    private static func repeated(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        let child = try read(
            reader.required("layer", "a layer"), at: reader.pointer(to: "layer"), isNetwork: reader.isNetwork, isCanonical: reader.isCanonical)
        reader.setCanonical("layer", child.canonical)
        return .repeated(child.layer, count: try reader.requiredInteger("count", in: counts))
    }

    /// `depth` hidden layers and a dense readout, all with the same settings but for `last_w_std` and the readout's width, `outputs`.
    private static func mlp(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        let depth = try reader.requiredInteger("depth", in: counts)
        let (activation, canonical) = try ActivationWire.named(
            reader.optional("activation"), at: reader.pointer(to: "activation"), isCanonical: reader.isCanonical)
        reader.setCanonical("activation", canonical)
        let hidden = try affine(&reader)
        var readout = hidden
        readout.weightStd = try reader.number("last_w_std", default: hidden.weightStd)
        readout.width = try reader.optionalInteger("outputs", in: widths)
        return .mlp(depth: depth, activation: activation, hidden: hidden, readout: readout)
    }

    private static func affine(_ reader: inout ObjectReader) throws(ProblemDetails) -> Affine {
        var affine = Affine(
            width: try reader.optionalInteger("width", in: widths),
            weightStd: try reader.number("w_std", default: 1), biasStd: try reader.optionalNumber("b_std"),
            parameterization: try reader.choice("parameterization", default: reader.isNetwork ? .standard : .ntk),
            isTrainable: try reader.bool("trainable", default: true))
        // PyTorch's word for what b_std says: a bias of zero variance, or none.
        guard reader.optional("bias") != nil else { return affine }
        let hasBias = try reader.bool("bias", default: true)
        if !hasBias && affine.biasStd != nil { throw .invalid(reader.pointer(to: "bias"), "true expected, or no b_std: that is the bias's") }
        // What it says is said by b_std.
        reader.setCanonical("bias", nil)
        if hasBias && affine.biasStd == nil {
            guard affine.parameterization == .standard else {
                throw .invalid(reader.pointer(to: "bias"), "a b_std expected beside a bias in the \"ntk\" parameterization, which scales it")
            }
            affine.biasStd = 0
            reader.setCanonical("b_std", .number(.signed(0)))
        }
        return affine
    }

    private static func convolution(_ variant: Convolution.Variant, _ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        .convolution(
            Convolution(
                variant: variant, filterShape: try reader.requiredIntegers("filter_shape", in: sizes),
                strides: try strides(&reader), padding: try reader.choice("padding", default: .valid), affine: try affine(&reader)))
    }

    /// Ones where there are none.
    private static func strides(_ reader: inout ObjectReader) throws(ProblemDetails) -> [Int]? {
        let strides = try reader.optionalIntegers("strides", in: sizes)
        if strides?.allSatisfy({ $0 == 1 }) == true { reader.setCanonical("strides", nil) }
        return strides
    }

    private static func pool(_ reduction: Pool.Reduction, _ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        .pool(
            Pool(
                reduction: reduction, windowShape: try reader.requiredIntegers("window_shape", in: sizes),
                strides: try strides(&reader), padding: try reader.choice("padding", default: .valid),
                normalizesEdges: reduction == .average ? try reader.bool("normalize_edges", default: false) : false))
    }

    private static func layerNorm(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        var norm = LayerNorm(epsilon: try reader.number("eps", default: 1e-12))
        if let value = reader.optional("axes") {
            let pointer = reader.pointer(to: "axes")
            guard let values = value.listElements else { throw .invalid(pointer, "a list of axes expected, each \"channel\" or an integer") }
            norm.axes = []
            for (index, value) in values.enumerated() { norm.axes.append(try axis(value, at: "\(pointer)/\(index)")) }
            if norm.axes == LayerNorm().axes { reader.setCanonical("axes", nil) }
        }
        return .layerNorm(norm)
    }

    private static func dropout(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        .dropout(
            Dropout(
                keepProbability: try reader.requiredNumber("keep_probability"), mode: try reader.choice("mode", default: .train)))
    }

    private static func selfAttention(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        .selfAttention(
            SelfAttention(
                width: try reader.optionalInteger("width", in: widths), heads: try heads(&reader),
                linearScaling: try reader.bool("linear_scaling", default: true),
                keyStd: try reader.number("w_key_std", default: 1), valueStd: try reader.number("w_value_std", default: 1),
                queryStd: try reader.number("w_query_std", default: 1), outputStd: try reader.number("w_out_std", default: 1),
                biasStd: try reader.optionalNumber("b_std"), mechanism: try reader.choice("mechanism", default: .softmax),
                positionalEmbedding: try reader.choice("positional_embedding", default: .none),
                positionalNorm: try reader.number("positional_p_norm", default: 2),
                positionalStd: try reader.number("w_positional_std", default: 1),
                positionalWidth: try reader.optionalInteger("positional_width", in: widths),
                positionalDecay: try reader.optionalNumber("positional_decay"),
                embedsValues: try reader.bool("value_positional_embedding", default: false),
                isTrainable: try reader.bool("trainable", default: true)))
    }

    private static func heads(_ reader: inout ObjectReader) throws(ProblemDetails) -> Int {
        let heads = try reader.optionalInteger("heads", in: 1...65_536) ?? 1
        if heads == 1 { reader.setCanonical("heads", nil) }
        return heads
    }

    private static func aggregate(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        .aggregate(axes: try reader.optionalIntegers("axes", in: -64...64))
    }

    private static func imageResize(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        .imageResize(
            ImageResize(
                shape: try reader.requiredIntegers("shape", in: -1...(1 << 20)), method: try reader.requiredChoice("method"),
                antialias: try reader.bool("antialias", default: true)))
    }

    private static func axis(_ field: String, _ reader: inout ObjectReader, default standard: Axis) throws(ProblemDetails) -> Axis {
        guard let value = reader.optional(field) else { return standard }
        let axis = try axis(value, at: reader.pointer(to: field))
        if axis == standard { reader.setCanonical(field, nil) }
        return axis
    }

    private static func axis(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> Axis {
        switch value {
        case .string("channel"): return .channel
        case .number(let number):
            if let integer = number.integer, (-64...64).contains(integer) { return .index(integer) }
        default: break
        }
        throw .invalid(pointer, "\"channel\" or an integer that counts axes from the sample axis 0 expected")
    }
}

extension Layer {
    /// The kernel of this architecture on points of this shape; `pointer` is where the architecture stands in the request.
    func analyticKernel(shape: [Int], at pointer: String) throws(ProblemDetails) -> AnalyticKernel {
        do {
            return try AnalyticKernel(self, shape: shape, meter: .ofRequest())
        } catch {
            throw ProblemDetails(error, at: pointer)
        }
    }

    func analyticKernel(features: Int, at pointer: String) throws(ProblemDetails) -> AnalyticKernel {
        try analyticKernel(shape: [features], at: pointer)
    }
}
