/// Operators that are a few others together.
struct CompositeRule: OperatorRule {
    let operators = ["OneHot", "LpNormalization", "MeanVarianceNormalization", "LRN", "GlobalLpPool", "NonZero", "Hardmax"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        switch node.operation {
        case "OneHot": return [try oneHot(node, input, &graph)]
        case "LpNormalization":
            let axis = try node.axis(try node.int("axis", -1), rank: shape.count)
            let order = try node.int("p", 2)
            guard order == 1 || order == 2 else { throw node.unsupported("order \(order)") }
            let norm = try graph.reduce(order == 2 ? .norm : .sumOfMagnitudes, input, axes: [axis], keeps: true)
            return [try graph.binary(.divide, input, norm)]
        case "MeanVarianceNormalization":
            let axes = try node.axes(try node.ints("axes") ?? [0, 2, 3], rank: shape.count)
            let centred = try graph.binary(.subtract, input, try graph.reduce(.mean, input, axes: axes, keeps: true))
            let variance = try graph.reduce(.mean, try graph.unary(.square, centred), axes: axes, keeps: true)
            let deviation = try graph.binary(.add, try graph.unary(.sqrt, variance), try graph.constant(reals: [1e-9], shape: []))
            return [try graph.binary(.divide, centred, deviation)]
        case "GlobalLpPool":
            guard shape.count >= 3, try node.int("p", 2) == 2 else { throw node.unsupported("an order other than 2") }
            return [try graph.reduce(.norm, input, axes: Array(2..<shape.count), keeps: true)]
        case "LRN": return [try responseNormalization(node, input, &graph)]
        case "Hardmax":
            let axis = try node.axis(try node.int("axis", -1), rank: shape.count)
            let largest = try graph.arg(node, input, axis: axis, keeps: true)
            let places = try graph.constant(
                integers: Array(0..<shape[axis]), shape: shape.indices.map { $0 == axis ? shape[axis] : 1 })
            return [try graph.cast(try graph.integerBinary(.equal, places, largest, .boolean), to: .real)]
        default:
            // Where numbers are not zero: only of constants, for the count is a shape.
            let values = try graph.reals(input, "the input")
            let found = values.indices.filter { values[$0] != 0 }
            let strides = shape.strides
            let places = shape.indices.flatMap { axis in found.map { $0 / strides[axis] % shape[axis] } }
            return [try graph.constant(integers: places, shape: [shape.count, found.count])]
        }
    }

    private func oneHot<F: NetworkScalar>(_ node: Node, _ input: Wire, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
        let depths = try graph.integers(try node.input(1), "the depth")
        let pair = try node.input(2)
        let index = graph.kind(input) == .real ? try graph.cast(input, to: .integer) : input
        var shape = graph.shape(index)
        let axis = try node.axis(try node.int("axis", -1), rank: shape.count + 1)
        guard depths.count == 1, 0...1 << 26 ~= depths[0], graph.shape(pair) == [2] else { throw node.invalid("a depth of \(depths)") }
        shape.insert(1, at: axis)
        let depth = try graph.constant(integers: [depths[0]], shape: [])
        let places = try graph.constant(
            integers: Array(0..<depths[0]), shape: shape.indices.map { $0 == axis ? depths[0] : 1 })
        // Indices below zero count from the end.
        let column = try graph.reshape(index, to: shape)
        let isBelow = try graph.integerBinary(.less, column, try graph.constant(integers: [0], shape: []), .boolean)
        let wrapped = try graph.choose(isBelow, try graph.integerBinary(.add, column, depth), column)
        let hits = try graph.integerBinary(.equal, wrapped, places, .boolean)
        let off = try graph.reshape(try graph.slice(pair, axis: 0, from: 0, count: 1), to: [])
        let on = try graph.reshape(try graph.slice(pair, axis: 0, from: 1, count: 1), to: [])
        return try graph.choose(hits, on, off)
    }

    /// y_c = x_c / (bias + alpha/size · Σ of x² over `size` channels around c)^beta.
    private func responseNormalization<F: NetworkScalar>(
        _ node: Node, _ input: Wire, _ graph: inout GraphBuilder<F>
    ) throws(GraphError) -> Wire {
        let shape = graph.shape(input)
        let size = try node.int("size")
        guard shape.count >= 3, size > 0, size < 1 << 20 else { throw node.invalid("windows of \(size) channels") }
        let squares = try graph.unary(.square, input)
        // Differences of running sums over the channels, padded on both sides.
        let (before, behind) = ((size - 1) / 2, size / 2)
        var places = shape.map { Array(0..<$0) }
        places[1] = (-before..<shape[1] + behind).map { 0..<shape[1] ~= $0 ? $0 : -1 }
        let padded = try graph.indexed(squares, axes: places)
        var sum = try graph.slice(padded, axis: 1, from: 0, count: shape[1])
        for shift in 1..<max(size, 1) { sum = try graph.binary(.add, sum, try graph.slice(padded, axis: 1, from: shift, count: shape[1])) }
        let scaled = try graph.unary(.scale(try node.float("alpha", 1e-4) / Double(size)), sum)
        let base = try graph.binary(.add, scaled, try graph.constant(reals: [try node.float("bias", 1)], shape: []))
        let power = try graph.binary(.power, base, try graph.constant(reals: [try node.float("beta", 0.75)], shape: []))
        return try graph.binary(.divide, input, power)
    }
}
