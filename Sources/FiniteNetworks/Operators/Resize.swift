internal import LinearAlgebra

/// y = A x along one axis for a sparse matrix A: interpolation.
struct AxisInterpolation: Operation {
    let outer: Int
    let inputs: Int
    let outputs: Int
    let inner: Int
    /// Entries of A by rows: row o has those from starts[o] to before starts[o + 1].
    let starts: [Int]
    let places: [Int]
    let weights: [Double]

    var operations: Double { 2 * Double(outer * inner) * Double(places.count) }
    var backwardReads: BackwardReads { .nothing }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let (x, y) = (tile.input(0, sample), tile.output(sample))
            y.fill(0)
            for o in 0..<outer {
                for row in 0..<outputs {
                    let target = y.from((o * outputs + row) * inner, inner)
                    for entry in starts[row]..<starts[row + 1] {
                        target.add(x.from((o * inputs + places[entry]) * inner, inner), times: F(weights[entry]))
                    }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for line in 0..<tile.rows {
            let (g, target) = (tile.cotangent(line), tile.gradient(0, line))
            for o in 0..<outer {
                for row in 0..<outputs {
                    let source = g.from((o * outputs + row) * inner, inner)
                    for entry in starts[row]..<starts[row + 1] {
                        target.from((o * inputs + places[entry]) * inner, inner).add(source, times: F(weights[entry]))
                    }
                }
            }
        }
    }
}

/// Interpolation axis by axis: nearest, linear and cubic, with the coordinate modes of ONNX but the cropping one.
struct ResizeRule: OperatorRule {
    let operators = ["Resize", "Upsample"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var input = try node.input(0)
        let shape = graph.shape(input)
        guard graph.kind(input) == .real else { throw node.unsupported("an input of integers") }
        let scalesPlace = node.operation == "Upsample" ? 1 : 2
        var scales: [Double] = []
        if let wire = node.optional(scalesPlace) { scales = try graph.reals(wire, "scales") }
        var sizes: [Int] = []
        if let wire = node.optional(3) { sizes = try graph.integers(wire, "sizes") }
        let axes =
            try node.ints("axes").map { axes throws(GraphError) in try axes.map { axis throws(GraphError) in try node.axis(axis, rank: shape.count) }
            }
            ?? Array(shape.indices)
        guard scales.isEmpty ? sizes.count == axes.count : scales.count == axes.count,
            try node.string("keep_aspect_ratio_policy", "stretch") == "stretch", try !node.flag("antialias") || !scales.contains(where: { $0 < 1 })
        else {
            throw node.unsupported("\(scales.count) scales and \(sizes.count) sizes for \(axes.count) axes, keep_aspect_ratio_policy or antialias")
        }
        let mode = try Mode(node)
        for (index, axis) in axes.enumerated() {
            let extent = shape[axis]
            let scale: Double
            let target: Int
            if scales.isEmpty {
                target = sizes[index]
                scale = Double(target) / Double(max(extent, 1))
            } else {
                scale = scales[index]
                guard scale > 0, scale.isFinite, Double(extent) * scale < 1e8 else { throw node.invalid("a scale of \(scale)") }
                target = Int((Double(extent) * scale).rounded(.down))
            }
            guard target >= 0, target <= 1 << 22, extent > 0 else { throw node.invalid("an extent of \(target)") }
            if target == extent, scale == 1 { continue }
            let isSmoothed = try node.flag("antialias")
            guard scale >= 1 || !isSmoothed else { throw node.unsupported("antialias") }
            let matrix = try mode.matrix(extent, target, scale, node)
            var result = graph.shape(input)
            let operation = AxisInterpolation(
                outer: result.product(0..<axis), inputs: extent, outputs: target, inner: result.product(axis + 1..<result.count),
                starts: matrix.starts, places: matrix.places, weights: matrix.weights)
            result[axis] = target
            input = try graph.add(operation, [input], TensorType(.real, result))
        }
        return [input]
    }

    private struct Mode {
        var mode: String
        var coordinates: String
        var nearest: String
        var cubic: Double
        var excludesOutside: Bool

        init(_ node: Node) throws(GraphError) {
            mode = try node.string("mode", "nearest")
            coordinates = try node.string("coordinate_transformation_mode", node.operation == "Upsample" ? "asymmetric" : "half_pixel")
            nearest = try node.string("nearest_mode", node.operation == "Upsample" ? "floor" : "round_prefer_floor")
            cubic = try node.float("cubic_coeff_a", -0.75)
            excludesOutside = try node.flag("exclude_outside")
        }

        /// The place in the input of an output.
        func place(_ output: Int, _ extent: Int, _ target: Int, _ scale: Double, _ node: Node) throws(GraphError) -> Double {
            let x = Double(output)
            switch coordinates {
            case "half_pixel": return (x + 0.5) / scale - 0.5
            case "half_pixel_symmetric":
                let adjustment = Double(target) / (scale * Double(extent))
                let centre = Double(extent) / 2
                return centre * (1 - adjustment) + (x + 0.5) / scale - 0.5
            case "pytorch_half_pixel": return target > 1 ? (x + 0.5) / scale - 0.5 : 0
            case "align_corners": return target > 1 ? x * Double(extent - 1) / Double(target - 1) : 0
            case "asymmetric": return x / scale
            default: throw node.unsupported("coordinate_transformation_mode \"\(coordinates)\"")
            }
        }

        func matrix(
            _ extent: Int, _ target: Int, _ scale: Double, _ node: Node
        ) throws(GraphError) -> (starts: [Int], places: [Int], weights: [Double]) {
            var (starts, places, weights): ([Int], [Int], [Double]) = ([0], [], [])
            func clamp(_ place: Int) -> Int { min(max(place, 0), extent - 1) }
            for output in 0..<target {
                let x = try place(output, extent, target, scale, node)
                let base = x.rounded(.down)
                let fraction = x - base
                let first = Int(base)
                switch mode {
                case "nearest":
                    let rounded: Double
                    switch nearest {
                    case "floor": rounded = base
                    case "ceil": rounded = x.rounded(.up)
                    case "round_prefer_floor": rounded = fraction == 0.5 ? base : x.rounded()
                    case "round_prefer_ceil": rounded = fraction == 0.5 ? base + 1 : x.rounded()
                    default: throw node.unsupported("nearest_mode \"\(nearest)\"")
                    }
                    places.append(clamp(Int(rounded)))
                    weights.append(1)
                case "linear", "bilinear", "trilinear":
                    places += [clamp(first), clamp(first + 1)]
                    weights += [1 - fraction, fraction]
                case "cubic":
                    let a = cubic
                    var four = [
                        ((a * (fraction + 1) - 5 * a) * (fraction + 1) + 8 * a) * (fraction + 1) - 4 * a,
                        ((a + 2) * fraction - (a + 3)) * fraction * fraction + 1,
                        ((a + 2) * (1 - fraction) - (a + 3)) * (1 - fraction) * (1 - fraction) + 1,
                        ((a * (2 - fraction) - 5 * a) * (2 - fraction) + 8 * a) * (2 - fraction) - 4 * a,
                    ]
                    if excludesOutside {
                        for tap in 0..<4 where first - 1 + tap < 0 || first - 1 + tap >= extent { four[tap] = 0 }
                        let sum = four.reduce(0, +)
                        four = four.map { $0 / sum }
                    }
                    places += (0..<4).map { clamp(first - 1 + $0) }
                    weights += four
                default: throw node.unsupported("mode \"\(mode)\"")
                }
                starts.append(places.count)
            }
            return (starts, places, weights)
        }
    }
}

/// Channels that become places, and the other way round.
struct DepthRule: OperatorRule {
    let operators = ["DepthToSpace", "SpaceToDepth"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        let size = try node.int("blocksize")
        guard shape.count == 4, size > 0, size < 1 << 20 else { throw node.invalid("an input of shape \(shape), blocks of \(size)") }
        let (channels, height, width) = (shape[1], shape[2], shape[3])
        if node.operation == "SpaceToDepth" {
            guard try node.string("mode", "DCR") == "DCR" else { throw node.unsupported("mode other than DCR") }
            guard height % size == 0, width % size == 0 else { throw node.invalid("an input of shape \(shape), blocks of \(size)") }
            let split = try graph.reshape(input, to: [shape[0], channels, height / size, size, width / size, size])
            let moved = try graph.transpose(split, [0, 3, 5, 1, 2, 4])
            return [try graph.reshape(moved, to: [shape[0], channels * size * size, height / size, width / size])]
        }
        guard channels % (size * size) == 0 else { throw node.invalid("an input of shape \(shape), blocks of \(size)") }
        let rest = channels / (size * size)
        let isDepthFirst = try node.string("mode", "DCR") == "DCR"
        let split = try graph.reshape(input, to: [shape[0]] + (isDepthFirst ? [size, size, rest] : [rest, size, size]) + [height, width])
        let moved = try graph.transpose(split, isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
        return [try graph.reshape(moved, to: [shape[0], rest, height * size, width * size])]
    }
}
