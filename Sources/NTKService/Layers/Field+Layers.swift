internal import NTK
internal import TensorFormats

// Fields that several layers have, or that are read together.
extension Field {
    static let widths = 1...(1 << 40)
    static let sizes = 1...(1 << 20)
    static let axes = -64...64

    static let width = optionalInteger("width", in: widths, widthWords)
    static let widthWords =
        "The number of units in a finite network. The analytic kernel depends on it only in the \"standard\" parameterization, through the next layer."
    static let biasStdWords = "Standard deviation of the biases; null for none, 0 for biases of zero variance."
    static let trainable = boolean(
        "trainable", default: true,
        "Whether the gradient with respect to the layer's parameters is part of the tangent kernel; false freezes the layer.")

    /// The weights of a layer, and its biases.
    static let affine = LayerField(
        width.descriptions
            + [
                FieldDescription(name: "w_std", form: .number, standard: .number(1), words: "Standard deviation of the weights, times √fan-in."),
                FieldDescription(name: "b_std", form: .number, words: biasStdWords),
                FieldDescription(
                    name: "parameterization", form: .word(["ntk", "standard"]), standard: .word("ntk"),
                    words: "How the weights of a layer are scaled, in the architecture of an infinitely wide network. ntk if absent."),
            ] + trainable.descriptions
            + [
                FieldDescription(
                    name: "bias", form: .boolean,
                    words:
                        "In \"standard\" layers, PyTorch's word for b_std: true for a bias (of zero variance unless there is a b_std), false for none."
                )
            ]
    ) { reader throws(ProblemDetails) in
        var affine = Affine(
            width: try width.read(&reader),
            weightStd: try reader.number("w_std", default: 1), biasStd: try reader.optionalNumber("b_std"),
            parameterization: try reader.choice("parameterization", default: reader.isNetwork ? .standard : .ntk),
            isTrainable: try trainable.read(&reader))
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

    /// The weights of the hidden layers of an mlp, and those of its readout.
    static let hiddenAndReadout = LayerField(
        affine.descriptions
            + [
                FieldDescription(name: "last_w_std", form: .number, words: "`w_std` of the readout; that of the other layers if absent."),
                FieldDescription(
                    name: "outputs", form: .integer(widths),
                    words:
                        "The number of outputs of a finite network, that is, the width of the readout. If absent, it is taken from the readout's given "
                        + "weights, else 1. `width` is the width of the hidden layers."),
            ]
    ) { reader throws(ProblemDetails) in
        let hidden = try affine.read(&reader)
        var readout = hidden
        readout.weightStd = try reader.number("last_w_std", default: hidden.weightStd)
        readout.width = try reader.optionalInteger("outputs", in: widths)
        return (hidden: hidden, readout: readout)
    }

    static func layers(_ name: String, _ words: String) -> LayerField<[Layer]> {
        LayerField(FieldDescription(name: name, form: .layers, isRequired: true, words: words)) { reader throws(ProblemDetails) in
            try ArchitectureWire.children(name, &reader)
        }
    }

    static let layer = LayerField(FieldDescription(name: "layer", form: .layer, isRequired: true, words: "What is repeated.")) {
        reader throws(ProblemDetails) in
        try ArchitectureWire.child("layer", &reader)
    }

    static let activation = LayerField(
        FieldDescription(
            name: "activation", form: .activation, standard: .word("relu"),
            words: "The name of an activation that needs no parameters, or an activation with its parameters. relu if absent.")
    ) { reader throws(ProblemDetails) in
        let (activation, canonical) = try ActivationWire.named(
            reader.optional("activation"), at: reader.pointer(to: "activation"), isCanonical: reader.isCanonical)
        reader.setCanonical("activation", canonical)
        return activation
    }

    static func extents(_ name: String) -> LayerField<[Int]> { requiredIntegers(name, in: sizes, "Extent along each spatial axis.") }

    static let strides = LayerField(
        FieldDescription(name: "strides", form: .integers(sizes), words: "The stride along each spatial axis; null for 1.")
    ) { reader throws(ProblemDetails) in
        let strides = try reader.optionalIntegers("strides", in: sizes)
        if strides?.allSatisfy({ $0 == 1 }) == true { reader.setCanonical("strides", nil) }
        return strides
    }

    static let padding = choice(
        "padding", default: Padding.valid,
        "What windows read beyond the edge. valid keeps windows inside; same gives ⌈size/stride⌉ positions; circular wraps around.")

    /// One axis; the channels if it is absent.
    static func axis(_ name: String) -> LayerField<Axis> {
        LayerField(FieldDescription(name: name, form: .axis, standard: .word("channel"), words: "The channels if absent.")) {
            reader throws(ProblemDetails) in
            guard let value = reader.optional(name) else { return .channel }
            let axis = try axis(value, at: reader.pointer(to: name))
            if axis == .channel { reader.setCanonical(name, nil) }
            return axis
        }
    }

    static let normalizedAxes = LayerField(
        FieldDescription(
            name: "axes", form: .axes, words: "Axes of the input, the channels among them; 0 is the sample axis. The channels alone if absent.")
    ) { reader throws(ProblemDetails) -> [Axis] in
        let standard = LayerNorm().axes
        guard let value = reader.optional("axes") else { return standard }
        let pointer = reader.pointer(to: "axes")
        guard let values = value.listElements else { throw .invalid(pointer, "a list of axes expected, each \"channel\" or an integer") }
        var chosen: [Axis] = []
        for (index, value) in values.enumerated() { chosen.append(try axis(value, at: "\(pointer)/\(index)")) }
        if chosen == standard { reader.setCanonical("axes", nil) }
        return chosen
    }

    private static func axis(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> Axis {
        switch value {
        case .string("channel"): return .channel
        case .number(let number):
            if let integer = number.integer, axes.contains(integer) { return .index(integer) }
        default: break
        }
        throw .invalid(pointer, "\"channel\" or an integer that counts axes from the sample axis 0 expected")
    }
}
