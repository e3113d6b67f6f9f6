internal import NTK
internal import TensorFormats

// The layers that mix positions.
extension LayerRecords {
    static let positions: [LayerRecord<Layer>] = [
        LayerRecord(
            "global_self_attention", .linear, "Self-attention over all positions in the limit of many heads (Hron et al. 2020).",
            Field.width, Field.integer("heads", in: 1...65_536, default: 1, "The number of heads in a finite network."),
            Field.boolean(
                "linear_scaling", default: true,
                "Whether scores are divided by the width of the keys instead of its root; queries and keys then share their weights."),
            Field.number("w_key_std", default: 1, "Standard deviation of the weights of the keys, times √fan-in."),
            Field.number("w_value_std", default: 1, "Standard deviation of the weights of the values, times √fan-in."),
            Field.number("w_query_std", default: 1, "Standard deviation of the weights of the queries, times √fan-in."),
            Field.number("w_out_std", default: 1, "Standard deviation of the weights of the output, times √fan-in."),
            Field.optionalNumber("b_std", Field.biasStdWords),
            Field.choice(
                "mechanism", default: SelfAttention.Mechanism.softmax,
                "The function applied to the scores along the keys; only identity if linear_scaling is false. softmax if absent."),
            Field.choice("positional_embedding", default: SelfAttention.PositionalEmbedding.none, "none if absent."),
            Field.number("positional_p_norm", default: 2, "Embeddings of positions i, j have covariance exp(-positional_decay·Σ|i-j|^p)."),
            Field.number("w_positional_std", default: 1, "Standard deviation of the embeddings."),
            Field.optionalInteger("positional_width", in: Field.widths, Field.widthWords),
            Field.optionalNumber("positional_decay", "The decay in the covariance of embeddings; null for independent embeddings."),
            Field.boolean("value_positional_embedding", default: false, "Whether the embeddings are added to the values, too."), Field.trainable
        ) {
            width, heads, linearScaling, keyStd, valueStd, queryStd, outputStd, biasStd, mechanism, embedding, norm, positionalStd, positionalWidth,
            decay, embedsValues, isTrainable in
            .selfAttention(
                SelfAttention(
                    width: width, heads: heads, linearScaling: linearScaling, keyStd: keyStd, valueStd: valueStd, queryStd: queryStd,
                    outputStd: outputStd, biasStd: biasStd, mechanism: mechanism, positionalEmbedding: embedding, positionalNorm: norm,
                    positionalStd: positionalStd, positionalWidth: positionalWidth, positionalDecay: decay, embedsValues: embedsValues,
                    isTrainable: isTrainable))
        },
        LayerRecord(
            "aggregate", .linear, "x ← Aᵀx over the nodes of a graph, with the adjacency A that comes with each point (pattern1, pattern2).",
            Field.optionalIntegers("axes", in: Field.axes, "The axes along which the nodes lie; all spatial axes if absent.")
        ) { .aggregate(axes: $0) },
        LayerRecord(
            "image_resize", .linear, "Resizes the spatial axes by interpolation.",
            Field.requiredIntegers("shape", in: -1...(1 << 20), "The extent of each axis, including samples and channels; -1 keeps an axis."),
            Field.requiredChoice(ImageResize.Method.self, "method", "How positions between are read."),
            Field.boolean("antialias", default: true, "Whether positions are averaged where the extent shrinks.")
        ) { .imageResize(ImageResize(shape: $0, method: $1, antialias: $2)) },
        LayerRecord("index", .linear, "Selects positions.", Field.selections) { .index($0) },
        LayerRecord(
            "dot_general", .linear, "A product with a constant over spatial axes, as jax.lax.dot_general: exactly one of lhs and rhs.",
            Field.constant,
            Field.dotAxes("lhs_contracting", "Axes of the left side that are summed over."),
            Field.dotAxes("rhs_contracting", "Axes of the right side that are summed over."),
            Field.dotAxes("lhs_batch", "Axes of the left side that are paired."),
            Field.dotAxes("rhs_batch", "Axes of the right side that are paired.")
        ) { constant, left, right, leftBatch, rightBatch in
            .dotGeneral(
                DotGeneral(
                    side: constant.side, shape: constant.array.shape, elements: Array(constant.array.elements), contracting: (left, right),
                    batch: (leftBatch, rightBatch)))
        },
    ]
}
