import LinearAlgebra

// Operations that combine positions.
extension SpatialPass {
    /// Mean over windows at the same offset on both sides. Beyond an edge there is a zero vector: K = 0, so D is the partner's variance.
    func window(_ table: WindowTable, _ input: Plane, _ output: Plane) {
        var input = unsafe input
        if unsafe input.list.pairing != table.input.pairing {
            let held = unsafe scratch.elements(16, (output.theta == nil ? 1 : 2) * table.input.elements)
            let plane = unsafe Plane(
                value: input.value, list: table.input, base: held.base, theta: output.theta == nil ? nil : held.base + table.input.elements)
            unsafe take(input, into: plane)
            unsafe input = plane
        }
        let isDistance = unsafe plan.isDistance[input.value]
        let skipsTheta = unsafe plan.isThetaZero[input.value]
        for (index, taps) in table.taps.enumerated() {
            unsafe sum(table, taps, input.base, variances: isDistance ? input.value : nil)
            unsafe slide(table, to: output.block(index), isDistance: isDistance)
            guard let source = unsafe input.theta, let theta = unsafe output.thetaBlock(index), !skipsTheta else { continue }
            unsafe sum(table, taps, source, variances: nil)
            unsafe slide(table, to: theta, isDistance: false)
        }
    }

    /// Adds up the blocks of the taps along the leading axes, into a buffer with a margin for the last axis.
    private func sum(_ table: WindowTable, _ taps: [WindowTable.Tap], _ source: UnsafeMutablePointer<Element>, variances value: Int?) {
        let list = table.input
        let (low, stride) = (table.halo.low, table.extendedStride)
        let isFull = list.pairing == .full
        let extended = scratch.elements(1, (table.extendedRows + table.output.height + table.inner.window) * stride)
        let interior = unsafe extended.base + (isFull ? low * stride : 0) + low
        let pointers = unsafe scratch.pointers(taps.count)
        var count = 0
        for case .block(let block, _, _) in taps {
            unsafe pointers[count] = UnsafePointer(source + block * list.blockSize)
            count += 1
        }
        unsafe Element.sumBlocks(
            interior, stride, pointers, count, rows: list.height, columns: list.grid.stride, stride: list.grid.stride)
        // What a position finds whose partner lies beyond an edge.
        let width = list.grid.width
        let alone = scratch.elements(2, 2 * list.grid.stride)
        unsafe alone.base.initialize(repeating: 0, count: 2 * list.grid.stride)
        let (own, other) = unsafe (alone.base, alone.base + list.grid.stride)
        if let value, let q1 = first.variances[value], let q2 = second.variances[value] {
            for tap in taps {
                switch tap {
                case .block(_, let u, let v):
                    for x in 0..<width { unsafe own[x] += q1.row(u)[x] }
                    for x in 0..<width { unsafe other[x] += q2.row(v)[x] }
                case .first(let u):
                    for x in 0..<width { unsafe own[x] += q1.row(u)[x] }
                    for r in 0..<list.height {
                        for c in 0..<width { unsafe interior[r * stride + c] += q1.row(u)[isFull ? r : c] }
                    }
                case .second(let v):
                    for x in 0..<width { unsafe other[x] += q2.row(v)[x] }
                    for r in 0..<list.height {
                        for c in 0..<width { unsafe interior[r * stride + c] += q2.row(v)[c] }
                    }
                }
            }
        }
        unsafe fillMargins(table, extended.base, own, other)
    }

    private func fillMargins(
        _ table: WindowTable, _ base: UnsafeMutablePointer<Element>, _ own: UnsafeMutablePointer<Element>, _ other: UnsafeMutablePointer<Element>
    ) {
        let (low, high) = table.halo
        let stride = table.extendedStride
        let width = table.input.grid.width
        let isFull = table.input.pairing == .full
        for r in 0..<table.input.height {
            let row = unsafe base + (isFull ? (low + r) * stride : 0)
            // A lone margin element is a pair of one valid position with nothing; aligned, both lie beyond the edge.
            let margin = unsafe isFull ? own[r] : 0
            for c in 0..<low { unsafe row[c] = table.inner.wraps ? row[low + wrapped(c - low, width)] : margin }
            for c in 0..<high { unsafe row[low + width + c] = table.inner.wraps ? row[low + wrapped(width + c, width)] : margin }
            for c in (low + width + high)..<stride { unsafe row[c] = 0 }
        }
        guard isFull else { return }
        for r in Array(0..<low) + Array((low + width)..<(low + width + high)) {
            let row = unsafe base + r * stride
            if table.inner.wraps {
                unsafe row.update(from: base + (low + wrapped(r - low, width)) * stride, count: stride)
            } else {
                unsafe row.initialize(repeating: 0, count: stride)
                for c in 0..<width { unsafe row[low + c] = other[c] }
            }
        }
        // Rows that whole registers read beyond the last one.
        let rest = unsafe base + (low + width + high) * stride
        unsafe rest.initialize(repeating: 0, count: table.inner.window * stride)
    }

    private func wrapped(_ position: Int, _ count: Int) -> Int { ((position % count) + count) % count }

    /// The window along the last axis, the same shift in rows and columns.
    private func slide(_ table: WindowTable, to output: UnsafeMutablePointer<Element>, isDistance: Bool) {
        let extended = scratch.elements(1, 0)
        let stride = table.extendedStride
        let isFull = table.input.pairing == .full
        if table.isContiguous {
            unsafe Element.windowDiagonal(
                output, table.output.grid.stride, extended.base, isFull ? stride : 0, rows: table.output.height, taps: table.inner.window,
                scale: Element(table.scale))
            return
        }
        let low = table.halo.low
        let alone = scratch.elements(2, 0)
        let (own, other) = unsafe (alone.base, alone.base + table.input.grid.stride)
        let scale = Element(table.scale)
        unsafe output.initialize(repeating: 0, count: table.output.blockSize)
        for r in 0..<table.output.height {
            for c in 0..<table.output.grid.width {
                var sum: Element = 0
                for tap in 0..<table.inner.window {
                    let second = table.inner.source(c, tap)
                    let first = isFull ? table.inner.source(r, tap) : second
                    switch (first, second) {
                    case (let x1?, let x2?): unsafe sum += extended.base[(isFull ? (low + x1) * stride : 0) + low + x2]
                    case (let x1?, nil): if isDistance { unsafe sum += own[x1] }
                    case (nil, let x2?): if isDistance { unsafe sum += other[x2] }
                    case (nil, nil): break
                    }
                }
                unsafe output[r * table.output.grid.stride + c] = scale * sum
            }
        }
    }

    /// Mean over positions of each with its own.
    func flatten(_ input: Plane, _ output: Plane) {
        let grid = unsafe input.list.grid
        var sum = 0.0
        var theta = 0.0
        for position in 0..<grid.positions {
            guard let place = unsafe place(of: input, position, position) else { continue }
            unsafe sum += Double(input.base[place])
            if let own = unsafe input.theta { unsafe theta += Double(own[place]) }
        }
        unsafe set(output, sum / Double(grid.positions), theta / Double(grid.positions))
    }

    /// Mean or sum of K and Θ over all pairs of positions that are not masked.
    func globalPool(_ reduction: Pool.Reduction, _ value: Int, _ input: Plane?, _ output: Plane) {
        var sum = sums[value] ?? (0, 0)
        if let input = unsafe input {
            let list = unsafe input.list
            sum = (0, 0)
            for index in list.pairs.indices {
                sum.distance += unsafe Element.blockSum(input.block(index), rows: list.height, columns: list.grid.width, stride: list.grid.stride)
                if let theta = unsafe input.thetaBlock(index) {
                    sum.theta += unsafe Element.blockSum(theta, rows: list.height, columns: list.grid.width, stride: list.grid.stride)
                }
            }
        }
        let positions = program.values[value].positions
        if plan.isDistance[value] {
            let variances = [first, second].map { $0.variances[value]?.values.reduce(0, +) ?? 0 }
            sum.distance = (Double(positions) * (variances[0] + variances[1]) - sum.distance) / 2
        }
        var count = 1.0
        if reduction == .average {
            for stats in [first, second] {
                count *= Double(stats.mask(value).map { max($0.count { !$0 }, 1) } ?? positions)
            }
        }
        unsafe set(output, sum.distance / count, sum.theta / count)
    }

    private func set(_ output: Plane, _ covariance: Double, _ theta: Double) {
        unsafe output.base.initialize(repeating: 0, count: output.list.elements)
        unsafe output.base[0] = Element(covariance)
        if let target = unsafe output.theta {
            unsafe target.initialize(repeating: 0, count: output.list.elements)
            unsafe target[0] = Element(theta)
        }
    }

    /// x ← A x on both sides: K ← A K Aᵀ.
    func map(_ map: SpatialMap, _ input: Plane, _ output: Plane) {
        if map.isSelection {
            unsafe select(map, input, output)
            return
        }
        let matrix = unsafe dense(input, input.base, isDistance: plan.isDistance[input.value])
        unsafe scatter(applyBoth(map, matrix), output, output.base)
        if let theta = unsafe output.theta, let source = unsafe input.theta {
            unsafe scatter(applyBoth(map, dense(input, source, isDistance: false)), output, theta)
        }
    }

    private func apply(_ map: SpatialMap, _ matrix: Matrix<Element>) -> Matrix<Element> {
        let result = Matrix<Element>(zeroRows: map.rows.count, columns: matrix.columns)
        for (row, entries) in map.rows.enumerated() {
            let target = unsafe result.base + row * matrix.columns
            for entry in entries {
                let weight = Element(entry.weight)
                let source = unsafe matrix.base + entry.position * matrix.columns
                for c in 0..<matrix.columns { unsafe target[c] += weight * source[c] }
            }
        }
        return result
    }

    /// A K Aᵀ.
    private func applyBoth(_ map: SpatialMap, _ matrix: Matrix<Element>) -> Matrix<Element> {
        let half = apply(map, matrix)
        let result = Matrix<Element>(uninitializedRows: half.rows, columns: map.rows.count)
        for (column, entries) in map.rows.enumerated() {
            for row in 0..<half.rows {
                var sum: Element = 0
                for entry in entries { unsafe sum += Element(entry.weight) * half.base[row * half.columns + entry.position] }
                unsafe result.base[row * result.columns + column] = sum
            }
        }
        return result
    }

    private func select(_ map: SpatialMap, _ input: Plane, _ output: Plane) {
        let isDistance = unsafe plan.isDistance[output.value]
        let (own, other) = unsafe (first.variances[output.value], second.variances[output.value])
        unsafe forEachPair(output) { place, p1, p2 in
            let (a, b) = (map.rows[p1].first, map.rows[p2].first)
            if let a, let b, let source = unsafe self.place(of: input, a.position, b.position), a.weight == b.weight {
                let weight = Element(a.weight * b.weight)
                unsafe output.base[place] = weight * input.base[source]
                if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = weight * own[source] }
            } else if let a, let b, let source = unsafe self.place(of: input, a.position, b.position) {
                // Different weights: D is not a multiple of D.
                let q1 = unsafe first.variances[input.value]?.values[a.position] ?? 0
                let q2 = unsafe second.variances[input.value]?.values[b.position] ?? 0
                let held = unsafe Double(input.base[source])
                let covariance = a.weight * b.weight * (isDistance ? (q1 + q2 - held) / 2 : held)
                unsafe output.base[place] = Element(isDistance ? (own?.values[p1] ?? 0) + (other?.values[p2] ?? 0) - 2 * covariance : covariance)
                if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = Element(a.weight * b.weight) * own[source] }
            } else {
                unsafe output.base[place] = isDistance ? Element((own?.values[p1] ?? 0) + (other?.values[p2] ?? 0)) : 0
                if let theta = unsafe output.theta { unsafe theta[place] = 0 }
            }
        }
    }
}
