internal import NTK

/// The layers that are no activations, in the order of the document.
enum LayerRecords {
    static let all: [LayerRecord<Layer>] = combinators + weights + pools + normalizations + positions

    /// Hidden layers of an `mlp`, repetitions: far beyond any use.
    private static let counts = 0...10_000

    private static let combinators: [LayerRecord<Layer>] = [
        LayerRecord("serial", .combinator, "Layers one after another.", Field.layers("layers", "In order.")) { .serial($0) },
        LayerRecord(
            "parallel", .combinator, "Each branch on its own input, between fan_out and a fan-in.",
            Field.layers("branches", "One branch for each copy of fan_out.")
        ) { .parallel($0) },
        LayerRecord(
            "repeat", .combinator, "A layer repeated `count` times, with independent weights each time.", Field.layer,
            Field.requiredInteger("count", in: counts, "How often.")
        ) { .repeated($0, count: $1) },
        LayerRecord(
            "residual", .combinator, "x + f(x), with f the layers one after another; f must end in a layer with random weights.",
            Field.layers("layers", "The layers of f, in order.")
        ) { .residual($0) },
        LayerRecord(
            "fan_out", .combinator, "Copies of the input for parallel.", Field.requiredInteger("count", in: 1...1024, "How many.")
        ) { .fanOut($0) },
        LayerRecord("fan_in_sum", .combinator, "Sum of the branches, whose weights are independent.") { .fanInSum },
        LayerRecord("fan_in_prod", .combinator, "Elementwise product of the branches.") { .fanInProd },
        LayerRecord("fan_in_concat", .combinator, "The branches side by side along an axis.", Field.axis("axis")) { .fanInConcat($0) },
        LayerRecord(
            "mlp", .combinator, "`depth` hidden dense layers, each with the activation after it, and a dense readout.",
            Field.requiredInteger("depth", in: counts, "Hidden layers."), Field.activation, Field.hiddenAndReadout
        ) { depth, activation, affine in .mlp(depth: depth, activation: activation, hidden: affine.hidden, readout: affine.readout) },
    ]

    private static let weights: [LayerRecord<Layer>] = [
        LayerRecord(
            "dense", .linear,
            "A fully-connected layer with N(0, 1) weights and biases, (w_std/√fan-in)·Wx + b_std·b, in the \"ntk\" parameterization; in the \"standard\" "
                + "one the variances are in the distribution of the parameters, and the fan-in in their learning rates.",
            Field.affine
        ) { .dense($0) },
        convolution("conv", .shared, "A convolution. The fan-in is channels · (product of filter_shape), also at the edges."),
        convolution("conv_local", .local, "A convolution whose filters differ from position to position."),
        convolution(
            "conv_transpose", .transpose, "The geometry of a convolution's gradient: with strides the output is larger than the input."),
    ]

    private static func convolution(_ name: String, _ variant: Convolution.Variant, _ words: String) -> LayerRecord<Layer> {
        LayerRecord(name, .linear, words, Field.extents("filter_shape"), Field.strides, Field.padding, Field.affine) {
            shape, strides, padding, affine in
            .convolution(Convolution(variant: variant, filterShape: shape, strides: strides, padding: padding, affine: affine))
        }
    }

    private static let pools: [LayerRecord<Layer>] = [
        LayerRecord(
            "avg_pool", .linear, "Mean over windows.", Field.extents("window_shape"), Field.strides, Field.padding,
            Field.boolean(
                "normalize_edges", default: false,
                "Whether windows at the edges are divided by the number of positions inside rather than by the size of the window.")
        ) { shape, strides, padding, normalizes in
            .pool(Pool(reduction: .average, windowShape: shape, strides: strides, padding: padding, normalizesEdges: normalizes))
        },
        LayerRecord("sum_pool", .linear, "Sum over windows.", Field.extents("window_shape"), Field.strides, Field.padding) {
            shape, strides, padding in
            .pool(Pool(reduction: .sum, windowShape: shape, strides: strides, padding: padding, normalizesEdges: false))
        },
        LayerRecord("global_avg_pool", .linear, "Mean over all positions.") { .globalPool(.average) },
        LayerRecord("global_sum_pool", .linear, "Sum over all positions.") { .globalPool(.sum) },
        LayerRecord("flatten", .linear, "Turns all positions and channels into channels.") { .flatten },
        LayerRecord("identity", .linear, "Returns its input.") { .identity },
    ]

    private static let normalizations: [LayerRecord<Layer>] = [
        LayerRecord(
            "layer_norm", .linear,
            "Divides by the root mean square over the axes, of which the channels are one. A finite network subtracts the mean over the axes before, as "
                + "PyTorch does, and its parameters scale and shift; in the kernel of an infinitely wide one the mean over the channels is zero.",
            Field.number("eps", default: 1e-12, "Added to the mean square."), Field.normalizedAxes
        ) { epsilon, axes in
            var norm = LayerNorm(epsilon: epsilon)
            norm.axes = axes
            return .layerNorm(norm)
        },
        LayerRecord(
            "group_norm", .linear,
            "Divides groups of channels, over all positions, by their standard deviation after subtracting the mean, as PyTorch does; parameters of a "
                + "finite network scale and shift each channel. In the kernel of an infinitely wide one it is layer_norm over all axes.",
            Field.requiredInteger("groups", in: Field.widths, "The number of groups, a divisor of the channels."),
            Field.number("eps", default: 1e-5, "Added to the variance.")
        ) { .groupNorm(GroupNorm(groups: $0, epsilon: $1)) },
        LayerRecord(
            "dropout", .linear,
            "Keeps an element with a probability and divides by it; the kernel of two different points does not change, that of a training point with "
                + "itself grows.",
            Field.requiredNumber("keep_probability", "Above 0 and at most 1."),
            Field.choice("mode", default: Dropout.Mode.train, "test is the identity. train if absent.")
        ) { .dropout(Dropout(keepProbability: $0, mode: $1)) },
    ]
}
