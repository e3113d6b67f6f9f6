internal import LinearAlgebra

/// Adds the share of a weight by its gradients, some of its rows at a time: G_r = Σ over uses and terms of u_t ⊗ v_t for all rows r of both sides,
/// then G Gᵀ. The gradient of a whole weight is never there for all rows.
struct GradientContraction<F: NetworkScalar>: Sendable {
    let weight: StructuredWeight
    let left: [KernelSide]
    /// The same as `left` where both sets of points are one.
    let right: [KernelSide]
    let products: BlockProducts<F>

    /// Elements of a block of gradients.
    private static var blockElements: Int { 1 << 23 }
    /// Elements of all sums that chunks have of their own.
    private static var partialElements: Int { 1 << 24 }

    /// Rows of the weight in a chunk, and how many chunks there are.
    private var chunks: (height: Int, count: Int) {
        let rows = max(left[0].rows, right[0].rows)
        let fitting = max(1, Self.blockElements / max(rows * weight.columns, 1))
        // Enough of them for several threads, each high enough for a product to be worth its name.
        let height = min(fitting, max(16, (weight.rows + 7) / 8), weight.rows)
        return (height, (weight.rows + height - 1) / height)
    }

    func add(to target: Cells<F>, _ context: PassContext) throws {
        let (height, count) = chunks
        func range(_ chunk: Int) -> Range<Int> { chunk * height..<min((chunk + 1) * height, weight.rows) }
        if count > 1, products.count * count <= Self.partialElements {
            // Each chunk sums by itself; the sums are added in order.
            let sums = Buffer(F.self, count: products.count * count)
            defer { withExtendedLifetime(sums) {} }
            let cells = sums.cells(F.self, products.count * count)
            let work = self
            if context.isCancelled() { throw CancellationError() }
            try context.executor.forEach(count) { chunk in
                if context.isCancelled() { throw CancellationError() }
                let rows = chunk * height..<min((chunk + 1) * height, work.weight.rows)
                let sum = cells.from(chunk * work.products.count, work.products.count)
                sum.fill(0)
                work.addChunk(rows, sum)
            }
            for chunk in 0..<count { target.add(cells.from(chunk * products.count, products.count)) }
            return
        }
        for chunk in 0..<count {
            let rows = range(chunk)
            let each = rows.count * weight.columns
            let first = Buffer(F.self, count: left[0].rows * each)
            defer { withExtendedLifetime(first) {} }
            let second = products.isSame ? first : Buffer(F.self, count: right[0].rows * each)
            defer { withExtendedLifetime(second) {} }
            try fill(first.cells(F.self, left[0].rows * each), left, rows, context)
            if !products.isSame { try fill(second.cells(F.self, right[0].rows * each), right, rows, context) }
            try products.add(first.cells(F.self, left[0].rows * each), second.cells(F.self, right[0].rows * each), each, target, context)
        }
    }

    private func addChunk(_ rows: Range<Int>, _ target: Cells<F>) {
        let each = rows.count * weight.columns
        let first = Buffer(F.self, count: left[0].rows * each)
        defer { withExtendedLifetime(first) {} }
        let x = first.cells(F.self, left[0].rows * each)
        for row in 0..<left[0].rows { gradient(left, row, rows, x.from(row * each, each)) }
        guard !products.isSame else { return products.add(x, x, each, target) }
        let second = Buffer(F.self, count: right[0].rows * each)
        defer { withExtendedLifetime(second) {} }
        let y = second.cells(F.self, right[0].rows * each)
        for row in 0..<right[0].rows { gradient(right, row, rows, y.from(row * each, each)) }
        products.add(x, y, each, target)
    }

    private func fill(_ cells: Cells<F>, _ sides: [KernelSide], _ rows: Range<Int>, _ context: PassContext) throws {
        let each = rows.count * weight.columns
        let operations = 2 * Double(each) * Double(weight.positions)
        let work = self
        try context.forEachRange(sides[0].rows, operations: operations) { range in
            for row in range { work.gradient(sides, row, rows, cells.from(row * each, each)) }
        }
    }

    /// Rows `range` of the weight's gradient for one row.
    private func gradient(_ sides: [KernelSide], _ row: Int, _ range: Range<Int>, _ target: Cells<F>) {
        let columns = weight.columns
        var isFirst = true
        for side in sides {
            let v = side.rowFactor(row, F.self)
            let products = side.use.products
            if products.isOneHot {
                if isFirst { target.fill(0) }
                side.addOneHot(row, range, columns: columns, to: target)
            } else {
                let u = side.sampleFactor(row / side.cotangents, F.self)
                let (a, b) = side.use.sampleIsFirst ? (u, v) : (v, u)
                let (beta, t): (F, Int) = (isFirst ? 0 : 1, side.positions)
                if side.isPlanar {
                    unsafe F.gemmTransposed(
                        range.count, columns, t, alpha: 1, a.base + range.lowerBound * t, t, b.base, t, beta: beta, target.base, columns)
                } else {
                    unsafe F.gemmLeftTransposed(
                        range.count, columns, t, alpha: 1, a.base + range.lowerBound, weight.rows, b.base, columns, beta: beta, target.base,
                        columns)
                }
            }
            isFirst = false
        }
    }
}
