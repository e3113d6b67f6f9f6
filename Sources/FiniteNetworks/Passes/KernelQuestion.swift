internal import LinearAlgebra

/// Which entries of the [outputs, outputs] block of a pair of points a tangent kernel has.
public enum KernelOutputs: Sendable, Equatable {
    /// Each output with every one: [n1, n2, k, k].
    case full
    /// Each output with itself: [n1, n2, k].
    case diagonal
    /// The trace over all outputs: [n1, n2].
    case sum
    /// The trace divided by the number of outputs: [n1, n2].
    case mean
}

/// One number of a point, from its logits and its label.
public enum LabelFunctional: Sendable, Equatable {
    /// log p_y / (1 − p_y) with p = softmax(logits).
    case logOdds
    /// log p_y.
    case logLikelihood
    /// The label's logit.
    case labelLogit
}

/// What a tangent kernel is of.
public struct KernelQuestion: Sendable {
    public var outputs: KernelOutputs = .full
    /// Outputs that take part, by their place in the flattened output; nil for all.
    public var chosenOutputs: [Int]?
    /// One number of each point instead of its outputs, with the labels of both sets of points; the kernel is [n1, n2].
    public var functional: (kind: LabelFunctional, labels1: [Int], labels2: [Int])?
    /// Names of parameters that take part; nil for those that count by default.
    public var parameters: [String]?
    /// Whether each parameter's share comes by itself.
    public var isLayerwise = false
    /// One way for every parameter that allows it, for tests; nil for the cheaper one of each.
    package var way: PassPlan.Way?

    public init() {}

    /// Rows of a point: outputs that take part, or one functional.
    func cotangents(outputCount: Int) -> Int { functional != nil ? 1 : chosenOutputs?.count ?? outputCount }

    /// How a pair's entries are summed.
    var isFull: Bool { functional != nil || outputs == .full }
    var isDiagonal: Bool { functional == nil && outputs == .diagonal }
}

/// What a tangent kernel takes, known before anything is computed.
public struct KernelCost: Sendable, Equatable {
    /// Floating-point operations.
    public var operations: Double
    /// Bytes of the values and cotangents of a block of points, of gradients and of the kernel, beside the network's own.
    public var bytes: Int
    /// Points of a block.
    public var block: Int
}

extension NetworkProgram {
    /// Parameters that take part, by place.
    func chosen(_ question: KernelQuestion) throws(GraphError) -> [Int] {
        guard let names = question.parameters else { return parameters.indices.filter { parameters[$0].countsByDefault } }
        let known = Set(parameters.map(\.name))
        for name in names where !known.contains(name) { throw GraphError(.points, "the network has no parameter \"\(name)\"") }
        let chosen = Set(names)
        return parameters.indices.filter { chosen.contains(parameters[$0].name) }
    }

    /// Operations of a weight's share in each way, for n1 × n2 points (n2 nil: one set with itself).
    func shareOperations(
        _ weight: StructuredWeight, _ n1: Int, _ n2: Int?, _ question: KernelQuestion
    ) -> (gradients: Double, grams: Double, channels: Double) {
        let k = Double(question.cotangents(outputCount: outputCount))
        let sides = Double(n1) + Double(n2 ?? 0)
        let points = Double(n1) * Double(n2 ?? n1) * (n2 == nil ? 0.5 : 1)
        let pairs = points * (question.isFull ? k * k : k)
        let (t, area) = (Double(weight.positions), Double(weight.rows) * Double(weight.columns))
        let gradients = sides * k * (2 * t + 2) * area + 2 * pairs * area
        // Terms of equal orientation, roughly: activations once a pair of points, cotangents once a pair of rows.
        let use = weight.uses[0].products
        let activations = (use.isOneHot ? 1 : 2 * Double(use.sampleExtent)) * (question.isFull ? 1 : k)
        let grams = t * t * (points * activations + pairs * 2 * Double(use.rowExtent) + 8 * pairs)
        // A gradient of each point, its products channel by channel, and the numbers of rows.
        let channels = sides * (2 * t * area + k * t * Double(weight.rows)) + 2 * points * area + 3 * pairs * Double(weight.rows)
        return (gradients, grams, channels)
    }

    /// The cheaper way for each weight, and with it what is kept and when it goes.
    func plan(_ n1: Int, _ n2: Int?, _ question: KernelQuestion) throws(GraphError) -> PassPlan {
        PassPlan(self, parameters: try chosen(question), isForKernel: true, mergesBiases: !question.isLayerwise) { weight in
            if let way = question.way, way != .channels || weight.isSeparable { return way }
            let operations = shareOperations(weight, n1, n2, question)
            if weight.isSeparable, operations.channels < min(operations.grams, operations.gradients) { return .channels }
            return operations.grams < operations.gradients ? .grams : .gradients
        }
    }

    /// What `tangentKernel` takes for n1 × n2 points; `n2` nil: one set with itself.
    /// - Throws: `GraphError` for names of parameters that there are not.
    public func cost(_ n1: Int, _ n2: Int?, _ question: KernelQuestion, blockBytes: Int) throws(GraphError) -> KernelCost {
        cost(try plan(n1, n2, question), n1, n2, question, blockBytes: blockBytes)
    }

    func cost(_ plan: PassPlan, _ n1: Int, _ n2: Int?, _ question: KernelQuestion, blockBytes: Int) -> KernelCost {
        let k = question.cotangents(outputCount: outputCount)
        let (rowElements, sampleBytes) = plan.peaks(self)
        let size = MemoryLayout<F>.stride
        var factors = 0
        var merged: Set<Wire> = []
        for (weight, way) in plan.structured.values {
            if let bias = weight.bias { merged.insert(bias) }
            let gradient = way == .channels ? weight.rows.multipliedClamped(by: weight.columns.addingClamped(k)) : 0
            // Factors of several uses are laid out as those of one.
            let copies = weight.uses.count > 1 ? 2 : 1
            let each = weight.uses.reduce(0) {
                $0.addingClamped(
                    $1.products.positions.multipliedClamped(
                        by: $1.products.sampleExtent.addingClamped($1.products.rowExtent.multipliedClamped(by: k))))
            }
            factors = max(factors, each.multipliedClamped(by: copies).addingClamped(gradient))
        }
        let perSample = sampleBytes.addingClamped(rowElements.multipliedClamped(by: k * size)).addingClamped(factors.multipliedClamped(by: size))
        let fits = n2 == nil && n1.multipliedClamped(by: perSample) <= blockBytes
        let block = fits ? max(n1, 1) : max(1, min(max(n1, n2 ?? 0), blockBytes / max(perSample.multipliedClamped(by: 2), 1)))
        let each = question.isFull ? k * k : question.isDiagonal ? k : 1
        let shares = question.isLayerwise ? plan.parameters.count : 1
        let kernel = n1.multipliedClamped(by: n2 ?? n1).multipliedClamped(by: each.multipliedClamped(by: shares * size))
        let tile = block.squaredClamped.multipliedClamped(by: each.multipliedClamped(by: shares * size))
        let bytes = perSample.multipliedClamped(by: block * (fits ? 1 : 2)).addingClamped(kernel).addingClamped(tile).addingClamped(200 << 20)
        // Blocks of one side are walked again for each block of the other.
        let blocks = Double((n1 + block - 1) / max(block, 1))
        let passes = fits ? Double(n1) : Double(n1) * Double(((n2 ?? n1) + block - 1) / max(block, 1)) + blocks * Double(n2 ?? n1)
        var operations = passes * forwardOperations * Double(1 + 2 * k)
        let pairs = Double(n1) * Double(n2 ?? n1) * Double(question.isFull ? k * k : k)
        for place in plan.parameters {
            let parameter = parameters[place]
            if let (weight, way) = plan.structured[parameter.wire] {
                let shares = shareOperations(weight, n1, n2, question)
                operations += way == .grams ? shares.grams : way == .channels ? shares.channels : shares.gradients
            } else if !merged.contains(parameter.wire) {
                operations += 2 * pairs * Double(parameter.count)
            }
        }
        return KernelCost(operations: operations, bytes: bytes, block: block)
    }
}
