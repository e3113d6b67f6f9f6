internal import LinearAlgebra

/// Y_b = scale·A_b B_b, or A_b B_bᵀ, for matrices A [m, k] and B [k, n] of a stack whose extents are made one by numpy's rule.
///
/// Ā += scale·Ȳ Bᵀ, B̄ += scale·Aᵀ Ȳ.
struct MatMulOperation: Operation {
    let m: Int
    let k: Int
    let n: Int
    let isTransposed: Bool
    let scale: Double
    /// Where the matrices of each product begin.
    let starts: [(a: Int, b: Int)]
    /// Whether one B serves all products of a sample, and A's matrices stand one behind the other: then they are one tall A.
    let isTall: Bool

    init(_ a: [Int], _ b: [Int], batch: [Int], m: Int, k: Int, n: Int, isTransposed: Bool, scale: Double) {
        (self.m, self.k, self.n, self.isTransposed, self.scale) = (m, k, n, isTransposed, scale)
        let loop = StridedLoop(shape: batch, Broadcasting.strides(a, in: batch), Broadcasting.strides(b, in: batch))
        var starts: [(a: Int, b: Int)] = []
        loop.forEachRun { _, i, j, _ in
            for t in 0..<loop.run { starts.append(((i + t * loop.runStrides.first) * m * k, (j + t * loop.runStrides.second) * k * n)) }
        }
        self.starts = starts
        isTall = b.allSatisfy { $0 == 1 } && a.clampedProduct == batch.clampedProduct
    }

    private var isEmpty: Bool { m == 0 || k == 0 || n == 0 || starts.isEmpty }

    var operations: Double { 2 * Double(starts.count) * Double(m) * Double(k) * Double(n) }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        if m == 0 || n == 0 || starts.isEmpty { return }
        if k == 0 {
            for sample in 0..<tile.samples { tile.output(sample).fill(0) }
            return
        }
        // Samples that share B are taller still.
        if isTall, tile.isShared(1) {
            let height = starts.count * m
            let samples = tile.isShared(0) ? 1 : tile.samples
            return product(samples * height, tile.input(0, 0), tile.input(1, 0), tile.output(0))
        }
        for sample in 0..<tile.samples {
            let (a, b, y) = (tile.input(0, sample), tile.input(1, sample), tile.output(sample))
            if isTall {
                product(starts.count * m, a, b, y)
            } else {
                for (index, start) in starts.enumerated() { product(m, a.from(start.a), b.from(start.b), y.from(index * m * n)) }
            }
        }
    }

    @inline(__always)
    private func product<F: NetworkScalar>(_ rows: Int, _ a: Cells<F>, _ b: Cells<F>, _ y: Cells<F>) {
        if isTransposed {
            unsafe F.gemmTransposed(rows, n, k, alpha: F(scale), a.base, k, b.base, k, beta: 0, y.base, n)
        } else {
            unsafe F.gemm(rows, n, k, alpha: F(scale), a.base, k, b.base, n, beta: 0, y.base, n)
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        if isEmpty { return }
        if tile.wants(0) {
            if isTall, tile.isShared(1) {
                back(tile.rows * starts.count * m, tile.cotangent(0), tile.input(1, 0), tile.gradient(0, 0), tile.isFresh(0) ? 0 : 1)
            } else {
                for row in 0..<tile.rows {
                    let (g, b, target) = (tile.cotangent(row), tile.input(1, row / tile.cotangents), tile.gradient(0, row))
                    if isTall {
                        back(starts.count * m, g, b, target, tile.isFresh(0) ? 0 : 1)
                    } else {
                        for (index, start) in starts.enumerated() { back(m, g.from(index * m * n), b.from(start.b), target.from(start.a)) }
                    }
                }
            }
        }
        guard tile.wants(1) else { return }
        for row in 0..<tile.rows {
            let (g, a, target) = (tile.cotangent(row), tile.input(0, row / tile.cotangents), tile.gradient(1, row))
            if isTall {
                weight(starts.count * m, a, g, target)
            } else {
                for (index, start) in starts.enumerated() { weight(m, a.from(start.a), g.from(index * m * n), target.from(start.b)) }
            }
        }
    }

    /// A's cotangents are products that cover all of A where no matrix of it is used twice.
    func overwrites(_ input: Int) -> Bool { input == 0 && isTall && !isEmpty }

    @inline(__always)
    private func back<F: NetworkScalar>(_ rows: Int, _ g: Cells<F>, _ b: Cells<F>, _ target: Cells<F>, _ beta: F = 1) {
        if isTransposed {
            unsafe F.gemm(rows, k, n, alpha: F(scale), g.base, n, b.base, k, beta: beta, target.base, k)
        } else {
            unsafe F.gemmTransposed(rows, k, n, alpha: F(scale), g.base, n, b.base, n, beta: beta, target.base, k)
        }
    }

    @inline(__always)
    private func weight<F: NetworkScalar>(_ rows: Int, _ a: Cells<F>, _ g: Cells<F>, _ target: Cells<F>) {
        if isTransposed {
            unsafe F.gemmLeftTransposed(n, k, rows, alpha: F(scale), g.base, n, a.base, k, beta: 1, target.base, k)
        } else {
            unsafe F.gemmLeftTransposed(k, n, rows, alpha: F(scale), a.base, k, g.base, n, beta: 1, target.base, n)
        }
    }

    /// B's derivative is Σ over the rows of the tall A of a_t ⊗ ȳ_t.
    func outerProducts(of input: Int) -> OuterProducts? {
        guard input == 1, isTall, !isEmpty else { return nil }
        return OuterProducts(
            positions: starts.count * m, sampleExtent: k, rowExtent: n, sampleIsFirst: !isTransposed, sampleInput: 0, rowIsCotangent: scale == 1)
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func writeFactors<F: NetworkScalar>(of input: Int, _ tile: BackwardTile<F>, _ target: FactorTarget<F>) throws(GraphError) {
        if target.wantsSample { for sample in 0..<tile.samples { target.sampleFactor(sample).copy(tile.input(0, sample)) } }
        guard target.wantsRow else { return }
        for row in 0..<tile.rows {
            let factor = target.rowFactor(row)
            factor.copy(tile.cotangent(row))
            if scale != 1 { for index in 0..<factor.count { factor[index] *= F(scale) } }
        }
    }
}

extension GraphBuilder {
    /// A B, or A Bᵀ, of stacks of matrices; a vector is a matrix of one row (on the left) or column (on the right).
    mutating func matMul(_ left: Wire, _ right: Wire, isTransposed: Bool = false, scale: Double = 1) throws(GraphError) -> Wire {
        var (a, b) = (left, right)
        guard kind(a) == .real, kind(b) == .real, !shape(a).isEmpty, !shape(b).isEmpty else {
            throw invalid("factors of types \(type(a)) and \(type(b))")
        }
        let (dropsRow, dropsColumn) = (shape(a).count == 1, shape(b).count == 1)
        if dropsRow { a = try reshape(a, to: [1] + shape(a)) }
        if dropsColumn { b = try reshape(b, to: shape(b) + [1]) }
        let (aShape, bShape) = (shape(a), shape(b))
        let (m, k) = (aShape[aShape.count - 2], aShape[aShape.count - 1])
        let (first, last) = (bShape[bShape.count - 2], bShape[bShape.count - 1])
        let n = isTransposed ? first : last
        guard k == (isTransposed ? last : first), let batch = Broadcasting.shape([Array(aShape.dropLast(2)), Array(bShape.dropLast(2))]) else {
            throw invalid("factors of shapes \(shape(left)) and \(shape(right))")
        }
        try check(TensorType(.real, batch + [m, n]))
        let operation = MatMulOperation(
            Array(aShape.dropLast(2)), Array(bShape.dropLast(2)), batch: batch, m: m, k: k, n: n, isTransposed: isTransposed, scale: scale)
        let product = try add(operation, [a, b], TensorType(.real, batch + [m, n]))
        guard dropsRow || dropsColumn else { return product }
        return try reshape(product, to: batch + (dropsRow ? [] : [m]) + (dropsColumn ? [] : [n]))
    }
}

struct MatMulRule: OperatorRule {
    let operators = ["MatMul"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        [try graph.matMul(try node.input(0), try node.input(1))]
    }
}

/// Y = alpha·A B + beta·C, with A and B transposed where it says so.
struct GemmRule: OperatorRule {
    let operators = ["Gemm"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var a = try node.input(0)
        let b = try node.input(1)
        guard graph.shape(a).count == 2, graph.shape(b).count == 2 else {
            throw node.invalid("factors of shapes \(graph.shape(a)), \(graph.shape(b))")
        }
        if try node.flag("transA") { a = try graph.transpose(a, [1, 0]) }
        let product = try graph.matMul(a, b, isTransposed: try node.flag("transB"), scale: try node.float("alpha", 1))
        guard var bias = node.optional(2) else { return [product] }
        let beta = try node.float("beta", 1)
        if beta != 1 { bias = try graph.unary(.scale(beta), bias) }
        guard Broadcasting.shape([graph.shape(bias), graph.shape(product)]) == graph.shape(product) else {
            throw node.invalid("C of shape \(graph.shape(bias)) beside a product of shape \(graph.shape(product))")
        }
        return [try graph.binary(.add, product, bias)]
    }
}
