internal import LinearAlgebra

/// Largest or mean number of each window, or the norm of its numbers, channel by channel. A norm of zero has derivative 0.
struct PoolOperation: Operation {
    enum Kind: Sendable, Equatable {
        case largest, mean
        /// (Σ |x|^p)^(1/p).
        case norm(Double)
    }

    let kind: Kind
    let window: Window
    let channels: Int
    /// 1 / the numbers that each mean is over, in the order of outputs.
    let weights: [Double]

    init(kind: Kind, window: Window, channels: Int, padsCount: Bool, padsBehind: [Int]) {
        (self.kind, self.window, self.channels) = (kind, window, channels)
        var counts = [Int](repeating: 0, count: window.outputCount)
        if kind == .mean {
            if padsCount {
                // Windows that reach beyond the padding, as rounding up makes them, count only what is within it.
                for d in 0..<window.output[0] {
                    for h in 0..<window.output[1] {
                        for w in 0..<window.output[2] {
                            var count = 1
                            for (axis, place) in [d, h, w].enumerated() {
                                let start = place * window.strides[axis]
                                let end = window.pads[axis] + window.input[axis] + padsBehind[axis]
                                var taps = 0
                                for tap in 0..<window.kernel[axis] where start + tap * window.dilations[axis] < end { taps += 1 }
                                count *= taps
                            }
                            counts[(d * window.output[1] + h) * window.output[2] + w] = count
                        }
                    }
                }
            } else {
                window.forEachRun { _, output, _, count in for t in 0..<count { counts[output + t] += 1 } }
            }
        }
        weights = counts.map { 1 / Double(max($0, 1)) }
    }

    var operations: Double { Double(channels) * Double(window.outputCount) * Double(window.kernelCount) }
    var backwardReads: BackwardReads { kind == .mean ? .nothing : kind == .largest ? .inputs : .everything }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let stride = window.strides[2]
        let (inputs, outputs) = (window.inputCount, window.outputCount)
        for sample in 0..<tile.samples {
            for channel in 0..<channels {
                let x = tile.input(0, sample).from(channel * inputs, inputs)
                let y = tile.output(sample).from(channel * outputs, outputs)
                if case .norm(let order) = kind {
                    let p = F(order)
                    y.fill(0)
                    window.forEachRun { _, output, input, count in
                        for t in 0..<count {
                            let size = abs(x[input + t * stride])
                            y[output + t] += p == 2 ? size * size : p == 1 ? size : F.power(size, p)
                        }
                    }
                    for index in 0..<outputs { y[index] = p == 2 ? y[index].squareRoot() : p == 1 ? y[index] : F.power(y[index], 1 / p) }
                } else if kind == .largest {
                    y.fill(-.infinity)
                    window.forEachRun { _, output, input, count in
                        for t in 0..<count { if !(x[input + t * stride] <= y[output + t]) { y[output + t] = x[input + t * stride] } }
                    }
                } else {
                    y.fill(0)
                    window.forEachRun { _, output, input, count in for t in 0..<count { y[output + t] += x[input + t * stride] } }
                    for index in 0..<outputs { y[index] *= F(weights[index]) }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        let stride = window.strides[2]
        let (inputs, outputs) = (window.inputCount, window.outputCount)
        if kind == .mean {
            for row in 0..<tile.rows {
                for channel in 0..<channels {
                    let target = tile.gradient(0, row).from(channel * inputs, inputs)
                    let g = tile.cotangent(row).from(channel * outputs, outputs)
                    window.forEachRun { _, output, input, count in
                        for t in 0..<count { target[input + t * stride] += g[output + t] * F(weights[output + t]) }
                    }
                }
            }
            return
        }
        if case .norm(let order) = kind { return normCotangents(tile, F(order)) }
        // The first of the largest numbers, as in torch.
        let places = Buffer(Int64.self, count: outputs)
        defer { withExtendedLifetime(places) {} }
        let largest = Buffer(F.self, count: outputs)
        defer { withExtendedLifetime(largest) {} }
        let (place, value) = (places.cells(Int64.self, outputs), largest.cells(F.self, outputs))
        for sample in 0..<tile.samples {
            for channel in 0..<channels {
                let x = tile.input(0, sample).from(channel * inputs, inputs)
                place.fill(-1)
                value.fill(-.infinity)
                window.forEachRun { _, output, input, count in
                    for t in 0..<count where place[output + t] < 0 || x[input + t * stride] > value[output + t] {
                        value[output + t] = x[input + t * stride]
                        place[output + t] = Int64(input + t * stride)
                    }
                }
                for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                    let target = tile.gradient(0, row).from(channel * inputs, inputs)
                    let g = tile.cotangent(row).from(channel * outputs, outputs)
                    for index in 0..<outputs where place[index] >= 0 { target[Int(place[index])] += g[index] }
                }
            }
        }
    }

    /// ∂y/∂x = sign(x) (|x|/y)^(p−1).
    @inline(__always)
    private func normCotangents<F: NetworkScalar>(_ tile: BackwardTile<F>, _ p: F) {
        let stride = window.strides[2]
        let (inputs, outputs) = (window.inputCount, window.outputCount)
        for row in 0..<tile.rows {
            for channel in 0..<channels {
                let x = tile.input(0, row / tile.cotangents).from(channel * inputs, inputs)
                let y = tile.result(row / tile.cotangents).from(channel * outputs, outputs)
                let target = tile.gradient(0, row).from(channel * inputs, inputs)
                let g = tile.cotangent(row).from(channel * outputs, outputs)
                window.forEachRun { _, output, input, count in
                    for t in 0..<count {
                        let (number, norm) = (x[input + t * stride], y[output + t])
                        if norm == 0 || number == 0 { continue }
                        let ratio = abs(number) / norm
                        let slope = p == 2 ? ratio : p == 1 ? 1 : F.power(ratio, p - 1)
                        target[input + t * stride] += (number > 0 ? slope : -slope) * g[output + t]
                    }
                }
            }
        }
    }
}

extension GraphBuilder {
    fileprivate mutating func pool(_ node: Node, _ kind: PoolOperation.Kind) throws(GraphError) -> Wire {
        let input = try node.input(0)
        let shape = shape(input)
        guard shape.count >= 3, shape[0] == 1, self.kind(input) == .real else { throw node.invalid("an input of shape \(shape)") }
        let rank = shape.count - 2
        let window = try Window(node, grid: Array(shape[2...]), kernel: nil)
        let result = TensorType(.real, [1, shape[1]] + window.output.suffix(rank))
        try check(result)
        guard window.outputCount.multipliedClamped(by: window.kernelCount) <= 1 << 32 else {
            throw error(.tooLarge, "windows of \(window.kernel) at \(window.output) places")
        }
        let pads = try node.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
        let behind = [Int](repeating: 0, count: 3 - rank) + pads.suffix(rank)
        let operation = PoolOperation(
            kind: kind, window: window, channels: shape[1], padsCount: try node.flag("count_include_pad"), padsBehind: behind)
        return try add(operation, [input], result)
    }
}

struct MaxPoolRule: OperatorRule {
    let operators = ["MaxPool"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        [try graph.pool(node, .largest)]
    }
}

struct AveragePoolRule: OperatorRule {
    let operators = ["AveragePool"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        [try graph.pool(node, .mean)]
    }
}

struct LpPoolRule: OperatorRule {
    let operators = ["LpPool"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let order = try node.int("p", 2)
        guard order > 0 else { throw node.invalid("order \(order)") }
        return [try graph.pool(node, .norm(Double(order)))]
    }
}

struct GlobalPoolRule: OperatorRule {
    let operators = ["GlobalAveragePool", "GlobalMaxPool"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        guard shape.count >= 3 else { throw node.invalid("an input of shape \(shape)") }
        return [try graph.reduce(node.operation == "GlobalAveragePool" ? .mean : .largest, input, axes: Array(2..<shape.count), keeps: true)]
    }
}
