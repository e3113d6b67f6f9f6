internal import LinearAlgebra

/// A function of two numbers, y = f(a, b).
enum BinaryFunction: Sendable {
    case add, subtract, multiply, divide, power, maximum, minimum, prelu, remainder

    var isLinear: Bool { self == .add || self == .subtract }
}

/// y = f(a, b) with shapes made one by numpy's rule. The derivative by a repeated tensor sums over its copies.
///
/// At a = b the two arguments of a maximum or minimum share the derivative, as in torch.
struct BinaryOperation: Operation {
    let function: BinaryFunction
    let count: Int
    /// Elements of the two, and their distances along the result's axes.
    private let counts: [Int]
    private let shape: [Int]
    private let strides: [[Int]]
    private let loop: StridedLoop

    init(_ function: BinaryFunction, _ a: [Int], _ b: [Int], shape: [Int]) {
        self.function = function
        count = shape.clampedProduct
        counts = [a.clampedProduct, b.clampedProduct]
        self.shape = shape
        strides = [Broadcasting.strides(a, in: shape), Broadcasting.strides(b, in: shape)]
        loop = StridedLoop(shape: shape, strides[0], strides[1])
    }

    /// Whether an argument of `extent` elements lies along one axis of the result, the last one or the first that is longer than 1, and is repeated
    /// along all others.
    func repeats(_ input: Int, extent: Int, isFirst: Bool) -> Bool {
        let axes = shape.indices.filter { shape[$0] != 1 }
        guard extent > 1, counts[input] == extent, let axis = isFirst ? axes.first : axes.last, shape[axis] == extent else { return false }
        return strides[input][axis] == 1 && axes.allSatisfy { $0 == axis || strides[input][$0] == 0 }
    }

    /// An input of the result's shape is written once at each place.
    func overwrites(_ input: Int) -> Bool { counts[input] == count && function != .remainder }

    var operations: Double { Double(count) }
    var backwardReads: BackwardReads { function.isLinear ? .nothing : .inputs }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        switch function {
        case .add: map(tile) { $0 + $1 }
        case .subtract: map(tile) { $0 - $1 }
        case .multiply: map(tile) { $0 * $1 }
        case .divide: map(tile) { $0 / $1 }
        case .power: map(tile) { F.power($0, $1) }
        case .maximum: map(tile) { $0.isNaN ? $0 : $1.isNaN ? $1 : max($0, $1) }
        case .minimum: map(tile) { $0.isNaN ? $0 : $1.isNaN ? $1 : min($0, $1) }
        case .prelu: map(tile) { $0 >= 0 ? $0 : $1 * $0 }
        case .remainder: map(tile) { $0.truncatingRemainder(dividingBy: $1) }
        }
    }

    @inline(__always)
    private func map<F: NetworkScalar>(_ tile: ForwardTile<F>, _ f: (F, F) -> F) {
        let run = loop.run
        let (aStride, bStride, _) = loop.runStrides
        for sample in 0..<tile.samples {
            let (a, b, y) = (tile.input(0, sample), tile.input(1, sample), tile.output(sample))
            let (aBase, bBase, yBase) = unsafe (a.base, b.base, y.base)
            loop.forEachRun { place, i, j, _ in
                let (a, b, y) = unsafe (aBase + i, bBase + j, yBase + place)
                if aStride == 1, bStride == 1 {
                    for t in 0..<run { unsafe y[t] = f(a[t], b[t]) }
                } else if aStride == 1, bStride == 0 {
                    let right = unsafe b[0]
                    for t in 0..<run { unsafe y[t] = f(a[t], right) }
                } else {
                    for t in 0..<run { unsafe y[t] = f(a[t * aStride], b[t * bStride]) }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        switch function {
        case .add:
            sum(tile, 0, 1)
            sum(tile, 1, 1)
        case .subtract:
            sum(tile, 0, 1)
            sum(tile, 1, -1)
        case .multiply:
            weighted(tile, 0) { $1 }
            weighted(tile, 1) { a, _ in a }
        case .divide:
            weighted(tile, 0) { 1 / $1 }
            weighted(tile, 1) { -$0 / ($1 * $1) }
        case .power:
            weighted(tile, 0) { $1 == 0 ? 0 : $1 * F.power($0, $1 - 1) }
            weighted(tile, 1) { $0 == 0 && $1 >= 0 ? 0 : F.power($0, $1) * F.log($0) }
        case .maximum:
            weighted(tile, 0) { $0 > $1 ? 1 : $0 == $1 ? F(0.5) : 0 }
            weighted(tile, 1) { $1 > $0 ? 1 : $0 == $1 ? F(0.5) : 0 }
        case .minimum:
            weighted(tile, 0) { $0 < $1 ? 1 : $0 == $1 ? F(0.5) : 0 }
            weighted(tile, 1) { $1 < $0 ? 1 : $0 == $1 ? F(0.5) : 0 }
        case .prelu:
            weighted(tile, 0) { $0 > 0 ? 1 : $1 }
            weighted(tile, 1) { a, _ in a > 0 ? 0 : a }
        case .remainder:
            sum(tile, 0, 1)
            weighted(tile, 1) { -($0 / $1).rounded(.towardZero) }
        }
    }

    /// x̄ += factor·ȳ for one input.
    @inline(__always)
    private func sum<F: NetworkScalar>(_ tile: BackwardTile<F>, _ input: Int, _ factor: F) {
        guard tile.wants(input) else { return }
        let run = loop.run
        let stride = input == 0 ? loop.runStrides.first : loop.runStrides.second
        for row in 0..<tile.rows {
            let (gBase, targetBase) = unsafe (tile.cotangent(row).base, tile.gradient(input, row).base)
            loop.forEachRun { place, i, j, _ in
                let (g, target) = unsafe (gBase + place, targetBase + (input == 0 ? i : j))
                if tile.isFresh(input) {
                    for t in 0..<run { unsafe target[t * stride] = factor * g[t] }
                } else if stride == 1 {
                    for t in 0..<run { unsafe target[t] += factor * g[t] }
                } else if stride == 0 {
                    unsafe target[0] += factor * runSum(g, run)
                } else {
                    for t in 0..<run { unsafe target[t * stride] += factor * g[t] }
                }
            }
        }
    }

    /// x̄ += ȳ·slope(a, b) for one input.
    @inline(__always)
    private func weighted<F: NetworkScalar>(_ tile: BackwardTile<F>, _ input: Int, _ slope: (F, F) -> F) {
        guard tile.wants(input) else { return }
        let run = loop.run
        let (aStride, bStride, _) = loop.runStrides
        let stride = input == 0 ? aStride : bStride
        for sample in 0..<tile.samples {
            let (aBase, bBase) = unsafe (tile.input(0, sample).base, tile.input(1, sample).base)
            for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                let (gBase, targetBase) = unsafe (tile.cotangent(row).base, tile.gradient(input, row).base)
                loop.forEachRun { place, i, j, _ in
                    let (a, b, g) = unsafe (aBase + i, bBase + j, gBase + place)
                    let target = unsafe targetBase + (input == 0 ? i : j)
                    if tile.isFresh(input) {
                        for t in 0..<run { unsafe target[t * stride] = g[t] * slope(a[t * aStride], b[t * bStride]) }
                    } else if stride == 0, function == .multiply, aStride + bStride == 1 {
                        unsafe target[0] += dotProduct(g, aStride == 1 ? a : b, run)
                    } else if stride == 0 {
                        var sum: F = 0
                        for t in 0..<run { unsafe sum += g[t] * slope(a[t * aStride], b[t * bStride]) }
                        unsafe target[0] += sum
                    } else if aStride == 1, bStride == 1 {
                        for t in 0..<run { unsafe target[t] += g[t] * slope(a[t], b[t]) }
                    } else {
                        for t in 0..<run { unsafe target[t * stride] += g[t] * slope(a[t * aStride], b[t * bStride]) }
                    }
                }
            }
        }
    }
}

extension GraphBuilder {
    /// y = f(a, b) of real tensors.
    mutating func binary(_ function: BinaryFunction, _ a: Wire, _ b: Wire) throws(GraphError) -> Wire {
        guard let shape = Broadcasting.shape([shape(a), shape(b)]) else {
            throw invalid("shapes \(shape(a)) and \(shape(b)) are not made one by repetition")
        }
        guard kind(a) == .real, kind(b) == .real else { throw invalid("real numbers together with \(kind(kind(a) == .real ? b : a)) ones") }
        return try add(BinaryOperation(function, self.shape(a), self.shape(b), shape: shape), [a, b], TensorType(.real, shape))
    }
}
