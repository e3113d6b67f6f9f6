internal import LinearAlgebra

/// y = (x − mean) / √(variance + ε) over runs of neighbouring numbers, or x / √(mean square + ε) where it is not centred.
///
/// With x̂ = y: x̄ += (ȳ − mean ȳ − y·mean(ȳ y)) / √(variance + ε), without the middle term where it is not centred.
struct StandardizeOperation: Operation {
    let runs: Int
    let extent: Int
    let epsilon: Double
    let isCentred: Bool

    var operations: Double { 8 * Double(runs * extent) }
    var backwardReads: BackwardReads { .everything }

    /// Mean, and 1 / √(variance + ε).
    @inline(__always)
    private func moments<F: NetworkScalar>(_ x: Cells<F>) -> (mean: F, factor: F) {
        var mean: F = 0
        if isCentred {
            for index in 0..<extent { mean += x[index] }
            mean /= F(extent)
        }
        var square: F = 0
        for index in 0..<extent {
            let difference = x[index] - mean
            square += difference * difference
        }
        return (mean, 1 / (square / F(extent) + F(epsilon)).squareRoot())
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            for run in 0..<runs {
                let (x, y) = (tile.input(0, sample).from(run * extent, extent), tile.output(sample).from(run * extent, extent))
                let (mean, factor) = moments(x)
                for index in 0..<extent { y[index] = (x[index] - mean) * factor }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for sample in 0..<tile.samples {
            for run in 0..<runs {
                let (x, y) = (tile.input(0, sample).from(run * extent, extent), tile.result(sample).from(run * extent, extent))
                let factor = moments(x).factor
                for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                    let (g, target) = (tile.cotangent(row).from(run * extent, extent), tile.gradient(0, row).from(run * extent, extent))
                    let mean = unsafe isCentred ? runSum(g.base, extent) / F(extent) : 0
                    let slope = unsafe dotProduct(g.base, y.base, extent) / F(extent)
                    for index in 0..<extent { target[index] += factor * (g[index] - mean - y[index] * slope) }
                }
            }
        }
    }
}

extension GraphBuilder {
    mutating func standardize(_ input: Wire, extent: Int, epsilon: Double, isCentred: Bool = true) throws(GraphError) -> Wire {
        let type = type(input)
        guard type.isReal, extent > 0 else { throw invalid("an input of type \(type)") }
        let operation = StandardizeOperation(runs: type.count / extent, extent: extent, epsilon: epsilon, isCentred: isCentred)
        return try add(operation, [input], type)
    }

    /// y·scale + bias with numbers for each channel, of a tensor [1, channels, …].
    mutating func channelAffine(_ input: Wire, scale: Wire?, bias: Wire?) throws(GraphError) -> Wire {
        let shape = shape(input)
        let wide = [shape[1]] + [Int](repeating: 1, count: shape.count - 2)
        var result = input
        if let scale { result = try binary(.multiply, result, try reshape(scale, to: wide)) }
        if let bias { result = try binary(.add, result, try reshape(bias, to: wide)) }
        return result
    }
}

/// Over the last axes, with scale and bias of their shape; RMSNormalization and SimplifiedLayerNormalization are not centred.
struct LayerNormalizationRule: OperatorRule {
    let operators = ["LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        let axis = try node.axis(try node.int("axis", -1), rank: shape.count)
        var result = try graph.standardize(
            input, extent: shape.product(axis..<shape.count), epsilon: try node.float("epsilon", 1e-5),
            isCentred: node.operation == "LayerNormalization")
        if let scale = node.optional(1) { result = try graph.binary(.multiply, result, scale) }
        if let bias = node.optional(2) { result = try graph.binary(.add, result, bias) }
        guard graph.shape(result) == shape else { throw node.invalid("scale or bias of more axes than the input") }
        return [result]
    }
}

/// Over all places of a channel, or of a group of channels.
struct InstanceNormalizationRule: OperatorRule {
    let operators = ["InstanceNormalization", "GroupNormalization"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        guard shape.count >= 2, shape[0] == 1, !shape.contains(0) else { throw node.invalid("an input of shape \(shape)") }
        let groups = node.operation == "InstanceNormalization" ? shape[1] : try node.int("num_groups")
        guard groups > 0, shape[1] % groups == 0 else { throw node.invalid("\(groups) groups of \(shape[1]) channels") }
        let extent = shape[1] / groups * shape.product(2..<shape.count)
        let result = try graph.standardize(input, extent: extent, epsilon: try node.float("epsilon", 1e-5))
        var (scale, bias) = (node.optional(1), node.optional(2))
        // Until operator set 20 GroupNormalization has a number for each group.
        for wire in [scale, bias].compactMap({ $0 }) where graph.shape(wire) == [groups] && groups != shape[1] {
            let wide = try graph.reshape(
                try graph.expand(try graph.reshape(wire, to: [groups, 1]), to: [groups, shape[1] / groups]), to: [shape[1]])
            if wire == scale { scale = wide }
            if wire == bias { bias = wide }
        }
        return [try graph.channelAffine(result, scale: scale, bias: bias)]
    }
}

/// y = (x − mean) / √(variance + ε)·scale + bias with given statistics, channel by channel.
struct BatchNormalizationRule: OperatorRule {
    let operators = ["BatchNormalization"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        guard try !node.flag("training_mode"), !node.wantsOutput(1) else {
            throw node.unsupported("batch normalization in training mode mixes samples; export the model in evaluation mode")
        }
        let input = try node.input(0)
        let shape = graph.shape(input)
        guard shape.count >= 2, graph.kind(input) == .real else { throw node.invalid("an input of type \(graph.type(input))") }
        // Running statistics are no parameters.
        let mean = graph.detached(try node.input(3))
        let variance = graph.detached(try node.input(4))
        for index in 1...4 where graph.shape(try node.input(index)) != [shape[1]] {
            throw node.invalid("numbers of shape \(graph.shape(try node.input(index))) for \(shape[1]) channels")
        }
        let epsilon = try graph.constant(reals: [try node.float("epsilon", 1e-5)], shape: [])
        let factor = try graph.unary(.reciprocal, try graph.unary(.sqrt, try graph.binary(.add, variance, epsilon)))
        let wide = [shape[1]] + [Int](repeating: 1, count: shape.count - 2)
        let operation = ChannelStandardize(outer: shape[0], channels: shape[1], places: shape.product(2..<shape.count))
        let standard = try graph.add(
            operation, [input, try graph.reshape(mean, to: wide), try graph.reshape(factor, to: wide)], graph.type(input))
        return [try graph.channelAffine(standard, scale: try node.input(1), bias: try node.input(2))]
    }
}

/// y = (x − mean_c)·factor_c.
struct ChannelStandardize: Operation {
    /// The extent before the channels: what a sample has of folded axes.
    let outer: Int
    let channels: Int
    let places: Int

    var operations: Double { 2 * Double(outer * channels * places) }
    var backwardReads: BackwardReads { .inputs(2) }

    func overwrites(_ input: Int) -> Bool { input == 0 }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let (means, factors) = (tile.input(1, sample), tile.input(2, sample))
            for channel in 0..<outer * channels {
                let (x, y) = unsafe (tile.input(0, sample).base + channel * places, tile.output(sample).base + channel * places)
                let (mean, factor) = (means[channel % channels], factors[channel % channels])
                for place in 0..<places { unsafe y[place] = (x[place] - mean) * factor }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for row in 0..<tile.rows {
            let factors = tile.input(2, row / tile.cotangents)
            for channel in 0..<outer * channels {
                let (g, target) = (tile.cotangent(row).from(channel * places, places), tile.gradient(0, row).from(channel * places, places))
                if tile.isFresh(0) {
                    let (source, result, factor) = unsafe (g.base, target.base, factors[channel % channels])
                    for place in 0..<places { unsafe result[place] = factor * source[place] }
                } else {
                    target.add(g, times: factors[channel % channels])
                }
            }
        }
    }
}
