internal import LinearAlgebra

/// A function of all numbers along some axes.
enum ReductionFunction: Sendable {
    case sum, mean, sumOfSquares, norm, sumOfMagnitudes, logOfSum, logOfSumOfExponentials, product, largest, smallest
}

/// y = f over some axes of x. Equal largest numbers share the derivative, as in torch's amax; a norm of zero has derivative 0.
struct ReductionOperation: Operation {
    let function: ReductionFunction
    let inputs: Int
    let outputs: Int
    /// Over the input's elements, with the output's strides: 0 along reduced axes.
    let loop: StridedLoop

    private var reduced: Int { outputs == 0 ? 0 : inputs / outputs }

    /// Whether it is a sum or mean of neighbours: each output of the run of inputs behind it.
    var isTrailing: Bool { (function == .sum || function == .mean) && loop.runStrides.first == 0 && loop.run == reduced }

    var operations: Double { 2 * Double(inputs) }
    var backwardReads: BackwardReads { function == .sum || function == .mean ? .nothing : .everything }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let (x, y) = (tile.input(0, sample), tile.output(sample))
            switch function {
            case .sum, .mean, .logOfSum: fold(x, y, 0) { $0 + $1 }
            case .sumOfSquares, .norm: fold(x, y, 0) { $0 + $1 * $1 }
            case .sumOfMagnitudes: fold(x, y, 0) { $0 + abs($1) }
            case .product: fold(x, y, 1) { $0 * $1 }
            case .largest: fold(x, y, -.infinity) { $1.isNaN ? $1 : max($0, $1) }
            case .smallest: fold(x, y, .infinity) { $1.isNaN ? $1 : min($0, $1) }
            case .logOfSumOfExponentials:
                fold(x, y, -.infinity) { max($0, $1) }
                let largest = y.elements
                y.fill(0)
                visit { place, target in y[target] += F.exp(x[place] - largest[target]) }
                for index in 0..<outputs { y[index] = F.log(y[index]) + largest[index] }
            }
            switch function {
            case .mean: for index in 0..<outputs { y[index] /= F(reduced) }
            case .norm: for index in 0..<outputs { y[index] = y[index].squareRoot() }
            case .logOfSum: for index in 0..<outputs { y[index] = F.log(y[index]) }
            default: break
            }
        }
    }

    @inline(__always)
    private func visit(_ body: (_ place: Int, _ target: Int) -> Void) {
        let stride = loop.runStrides.first
        loop.forEachRun { place, target, _, _ in for t in 0..<loop.run { body(place + t, target + t * stride) } }
    }

    @inline(__always)
    private func fold<F: NetworkScalar>(_ x: Cells<F>, _ y: Cells<F>, _ start: F, _ f: (F, F) -> F) {
        y.fill(start)
        let (source, result) = unsafe (x.base, y.base)
        let stride = loop.runStrides.first
        loop.forEachRun { place, target, _, _ in
            if stride == 0 {
                var value = unsafe result[target]
                for t in 0..<loop.run { value = unsafe f(value, source[place + t]) }
                unsafe result[target] = value
            } else {
                for t in 0..<loop.run { unsafe result[target + t * stride] = f(result[target + t * stride], source[place + t]) }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        let buffer = Buffer(F.self, count: inputs)
        defer { withExtendedLifetime(buffer) {} }
        let slope = buffer.cells(F.self, inputs)
        for sample in 0..<tile.samples {
            switch function {
            case .sum: slope.fill(1)
            case .mean: slope.fill(1 / F(max(reduced, 1)))
            default: slopes(tile.input(0, sample), tile.result(sample), slope)
            }
            for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                let (g, target) = (tile.cotangent(row), tile.gradient(0, row))
                visit { place, output in target[place] += slope[place] * g[output] }
            }
        }
    }

    @inline(__always)
    private func slopes<F: NetworkScalar>(_ x: Cells<F>, _ y: Cells<F>, _ slope: Cells<F>) {
        switch function {
        case .sum, .mean: break
        case .sumOfSquares: visit { place, _ in slope[place] = 2 * x[place] }
        case .norm: visit { place, output in slope[place] = y[output] == 0 ? 0 : x[place] / y[output] }
        case .sumOfMagnitudes: visit { place, _ in slope[place] = x[place] > 0 ? 1 : x[place] < 0 ? -1 : 0 }
        case .logOfSum: visit { place, output in slope[place] = F.exp(-y[output]) }
        case .logOfSumOfExponentials: visit { place, output in slope[place] = F.exp(x[place] - y[output]) }
        case .product:
            // The product of the others: a zero has one of its own, two zeros have none.
            var zeros = [Int](repeating: 0, count: outputs)
            var others = [F](repeating: 1, count: outputs)
            visit { place, output in if x[place] == 0 { zeros[output] += 1 } else { others[output] *= x[place] } }
            visit { place, output in
                slope[place] = zeros[output] == 0 ? others[output] / x[place] : zeros[output] == 1 && x[place] == 0 ? others[output] : 0
            }
        case .largest, .smallest:
            var equals = [F](repeating: 0, count: outputs)
            visit { place, output in if x[place] == y[output] { equals[output] += 1 } }
            visit { place, output in slope[place] = x[place] == y[output] ? 1 / equals[output] : 0 }
        }
    }
}

extension GraphBuilder {
    mutating func reduce(_ function: ReductionFunction, _ input: Wire, axes: [Int], keeps: Bool) throws(GraphError) -> Wire {
        let shape = shape(input)
        guard kind(input) == .real else { throw unsupported("an input of \(kind(input)) numbers that depends on the point") }
        let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
        let operation = ReductionOperation(
            function: function, inputs: shape.clampedProduct, outputs: kept.clampedProduct,
            loop: StridedLoop(shape: shape, Broadcasting.strides(kept, in: shape)))
        let result = try add(operation, [input], TensorType(.real, kept))
        return keeps ? result : try reshape(result, to: shape.indices.filter { !axes.contains($0) }.map { shape[$0] })
    }
}

/// Axes are an attribute in earlier operator sets and an input in later ones.
struct ReductionRule: OperatorRule {
    private static let functions: [String: ReductionFunction] = [
        "ReduceSum": .sum, "ReduceMean": .mean, "ReduceSumSquare": .sumOfSquares, "ReduceL2": .norm, "ReduceL1": .sumOfMagnitudes,
        "ReduceLogSum": .logOfSum, "ReduceLogSumExp": .logOfSumOfExponentials, "ReduceProd": .product, "ReduceMax": .largest,
        "ReduceMin": .smallest,
    ]

    let operators = functions.keys.sorted() + ["ArgMax", "ArgMin"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        let keeps = try node.flag("keepdims", true)
        if node.operation.hasPrefix("Arg") {
            let axis = try node.axis(try node.int("axis", 0), rank: shape.count)
            return [try graph.arg(node, input, axis: axis, keeps: keeps)]
        }
        var given = try node.ints("axes")
        if given == nil, let wire = node.optional(1) { given = try graph.integers(wire, "axes") }
        if given?.isEmpty ?? true, try node.flag("noop_with_empty_axes") { return [input] }
        let axes = given.map { $0.isEmpty } ?? true ? Array(shape.indices) : try node.axes(given ?? [], rank: shape.count)
        guard let function = Self.functions[node.operation] else { throw node.unsupported("this reduction") }
        guard graph.kind(input) == .real else {
            // Sums of integers and booleans are those of numbers, exactly up to 2⁵³ (2²⁴ in single precision).
            let real = try graph.cast(input, to: .real)
            return [try graph.cast(try graph.reduce(function, real, axes: axes, keeps: keeps), to: graph.kind(input))]
        }
        return [try graph.reduce(function, input, axes: axes, keeps: keeps)]
    }
}
