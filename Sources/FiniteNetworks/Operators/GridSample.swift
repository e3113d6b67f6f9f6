internal import LinearAlgebra

/// y[c, place] = x[c, ·] read at coordinates that a grid of numbers in −1 … 1 gives, the last axis of x first: between its numbers by linear
/// interpolation, or the nearest one. Derivatives by x and by the grid, those of torch's grid_sample.
struct GridSampleOperation: Operation {
    enum Padding: String, CaseIterable, Sendable { case zeros, border, reflection }

    let channels: Int
    /// Extents of x along its two or three spatial axes.
    let grid: [Int]
    let places: Int
    let isNearest: Bool
    let padding: Padding
    let isAligned: Bool

    var operations: Double { Double(places) * (Double(channels) * 2 + 8) * Double(1 << grid.count) }
    var backwardReads: BackwardReads { .inputs }

    private var size: Int { grid.clampedProduct }

    /// A coordinate in units of x's places along an axis, and its derivative by the grid's number.
    @inline(__always)
    private func coordinate<F: NetworkScalar>(_ number: F, _ extent: Int) -> (F, slope: F) {
        let n = F(extent)
        var (value, slope) = isAligned ? ((number + 1) / 2 * (n - 1), (n - 1) / 2) : (((number + 1) * n - 1) / 2, n / 2)
        if padding == .reflection {
            // About the centres of the outer places, or their edges.
            let (low, span) = isAligned ? (F(0), n - 1) : (F(-0.5), n)
            if span > 0 {
                var distance = value - low
                if distance < 0 { (distance, slope) = (-distance, -slope) }
                let turns = (distance / span).rounded(.down)
                let rest = distance - turns * span
                if turns.truncatingRemainder(dividingBy: 2) == 0 { value = rest + low } else { (value, slope) = (span - rest + low, -slope) }
            } else {
                (value, slope) = (0, 0)
            }
        }
        if padding != .zeros {
            if !(value > 0) { return (0, 0) }
            if value >= n - 1 { return (n - 1, 0) }
        }
        // What is far away reads nothing, and must not overflow an integer.
        return value.isFinite && abs(value) < 1e9 ? (value, slope) : (-1e9, 0)
    }

    /// Calls `body` with each place of x that a place of y reads, its weight, and the weight's derivatives by the grid's numbers.
    @inline(__always)
    private func forEachCorner<F: NetworkScalar>(
        _ numbers: Cells<F>, _ place: Int, _ body: (_ source: Int, _ weight: F, _ slopes: (F, F, F)) -> Void
    ) {
        let rank = grid.count
        var (base, fraction, slope): ((Int, Int, Int), (F, F, F), (F, F, F)) = ((0, 0, 0), (0, 0, 0), (0, 0, 0))
        for axis in 0..<rank {
            let (value, own) = coordinate(numbers[place * rank + axis], grid[rank - 1 - axis])
            let floor = isNearest ? value.rounded(.toNearestOrEven) : value.rounded(.down)
            let (start, part) = (Int(floor), isNearest ? 0 : value - floor)
            switch axis {
            case 0: (base.0, fraction.0, slope.0) = (start, part, own)
            case 1: (base.1, fraction.1, slope.1) = (start, part, own)
            default: (base.2, fraction.2, slope.2) = (start, part, own)
            }
        }
        for corner in 0..<(isNearest ? 1 : 1 << rank) {
            let (a, b, c) = (corner & 1, corner >> 1 & 1, corner >> 2 & 1)
            let (x, y, z) = (base.0 + a, base.1 + b, base.2 + c)
            guard 0..<grid[rank - 1] ~= x, 0..<grid[rank - 2] ~= y, rank == 2 || 0..<grid[0] ~= z else { continue }
            let (u, v) = (a == 1 ? fraction.0 : 1 - fraction.0, b == 1 ? fraction.1 : 1 - fraction.1)
            let w = rank == 2 ? 1 : c == 1 ? fraction.2 : 1 - fraction.2
            let source = (rank == 2 ? y : z * grid[1] + y) * grid[rank - 1] + x
            if isNearest {
                body(source, 1, (0, 0, 0))
            } else {
                body(
                    source, u * v * w,
                    ((a == 1 ? slope.0 : -slope.0) * v * w, (b == 1 ? slope.1 : -slope.1) * u * w, (c == 1 ? slope.2 : -slope.2) * u * v))
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let size = size
        for sample in 0..<tile.samples {
            let (x, numbers, y) = (tile.input(0, sample), tile.input(1, sample), tile.output(sample))
            y.fill(0)
            for place in 0..<places {
                forEachCorner(numbers, place) { source, weight, _ in
                    for channel in 0..<channels { y[channel * places + place] += weight * x[channel * size + source] }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        let (size, rank) = (size, grid.count)
        for row in 0..<tile.rows {
            let (x, numbers, g) = (tile.input(0, row / tile.cotangents), tile.input(1, row / tile.cotangents), tile.cotangent(row))
            for place in 0..<places {
                forEachCorner(numbers, place) { source, weight, slopes in
                    if tile.wants(0) {
                        let target = tile.gradient(0, row)
                        for channel in 0..<channels { target[channel * size + source] += weight * g[channel * places + place] }
                    }
                    guard tile.wants(1), !isNearest else { return }
                    var sum: F = 0
                    for channel in 0..<channels { sum += x[channel * size + source] * g[channel * places + place] }
                    let target = tile.gradient(1, row)
                    target[place * rank] += slopes.0 * sum
                    target[place * rank + 1] += slopes.1 * sum
                    if rank == 3 { target[place * rank + 2] += slopes.2 * sum }
                }
            }
        }
    }
}

struct GridSampleRule: OperatorRule {
    let operators = ["GridSample"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, numbers) = (try node.input(0), try node.input(1))
        let (shape, gridShape) = (graph.shape(input), graph.shape(numbers))
        guard shape.count == 4 || shape.count == 5, gridShape.count == shape.count, shape[0] == 1, gridShape[0] == 1,
            gridShape.last == shape.count - 2, !shape.contains(0), graph.kind(input) == .real, graph.kind(numbers) == .real
        else { throw node.invalid("an input of shape \(shape), a grid of shape \(gridShape)") }
        let mode = try node.string("mode", "linear")
        guard ["linear", "bilinear", "nearest"].contains(mode) else {
            throw node.unsupported("mode \"\(mode)\"; \"linear\" and \"nearest\" are served")
        }
        let name = try node.string("padding_mode", "zeros")
        guard let padding = GridSampleOperation.Padding(rawValue: name) else { throw node.unsupported("padding_mode \"\(name)\"") }
        let outer = Array(gridShape[1..<gridShape.count - 1])
        let operation = GridSampleOperation(
            channels: shape[1], grid: Array(shape[2...]), places: outer.clampedProduct, isNearest: mode == "nearest", padding: padding,
            isAligned: try node.flag("align_corners"))
        let result = TensorType(.real, [1, shape[1]] + outer)
        try graph.check(result)
        return [try graph.add(operation, [input, numbers], result)]
    }
}

/// Coordinates of a regular grid in −1 … 1 through an affine map: θ (x, y, [z,] 1)ᵀ at each place.
struct AffineGridRule: OperatorRule {
    let operators = ["AffineGrid"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let map = try node.input(0)
        let size = try graph.integers(try node.input(1), "size")
        let (rank, shape) = (size.count - 2, graph.shape(map))
        guard rank == 2 || rank == 3, size.allSatisfy({ $0 > 0 }), size[0] == 1, shape == [1, rank, rank + 1] else {
            throw node.invalid("a map of shape \(shape) for a size of \(size)")
        }
        let extents = Array(size[2...])
        try graph.check(TensorType(.real, extents + [rank + 1]))
        let isAligned = try node.flag("align_corners")
        func number(_ place: Int, _ extent: Int) -> Double {
            if isAligned { return extent == 1 ? 0 : 2 * Double(place) / Double(extent - 1) - 1 }
            return (2 * Double(place) + 1) / Double(extent) - 1
        }
        let (count, strides) = (extents.clampedProduct, extents.strides)
        var numbers: [Double] = []
        for place in 0..<count {
            // The last axis first.
            for axis in extents.indices.reversed() { numbers.append(number(place / strides[axis] % extents[axis], extents[axis])) }
            numbers.append(1)
        }
        let base = try graph.constant(reals: numbers, shape: [1, count, rank + 1])
        return [try graph.reshape(try graph.matMul(base, map, isTransposed: true), to: [1] + extents + [rank])]
    }
}
