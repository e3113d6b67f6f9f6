import LinearAlgebra
import Locks

/// Kernels of points with spatial axes.
struct SpatialKernel: Sendable {
    let program: KernelProgram
    let channels: Int
    private let needs: SpatialNeeds
    private let pairPlan: SpatialPlan
    private let ownPlan: SpatialPlan
    private let windows: [Int: WindowTable]

    init(_ program: KernelProgram, channels: Int) {
        self.program = program
        self.channels = channels
        needs = SpatialNeeds(program)
        pairPlan = SpatialPlan(program, needs, pairings: needs.pairings, kept: [program.output])
        let weighed = program.instructions.filter(\.operation.weighsPositions).map { $0.inputs[0] }
        ownPlan = SpatialPlan(
            program, needs, pairings: needs.ownPairings, kept: Set(weighed.filter { [needs] in needs.ownPairings[$0] == .full }))
        windows = PointStatsBuilder<Double>.windows(program)
    }

    /// Points on a side of a tile: the points' variances are worked out once for each tile, and there are tiles for every thread.
    private func side(_ rows: Int, _ columns: Int) -> Int {
        let largest = needs.pairings[0] == .full ? 8 : 32
        return min(largest, max(1, Int((Double(rows) * Double(columns) / 16).squareRoot())))
    }

    /// Pairs of positions at each operation, 20 operations each, and products of matrices where there are any.
    var operationsPerPair: Int {
        var sum = 0
        for (index, instruction) in program.instructions.enumerated() {
            let positions = program.values[index + 1].positions
            let pairs = needs.pairings[index + 1] == .full ? positions * positions : positions
            var each = 20
            switch instruction.operation {
            case .attention(_, _, isAveraged: true):
                let inputs = program.values[instruction.inputs[0]].positions
                each = 8 * inputs.multipliedReportingOverflow(by: inputs).partialValue
            case .attention, .aggregate: each = 8 * program.values[instruction.inputs[0]].positions
            case .window(let geometry): each = 4 * geometry.axes.reduce(0) { $0 + $1.window }
            default: break
            }
            let (product, overflow) = pairs.multipliedReportingOverflow(by: each)
            let (total, isOver) = sum.addingReportingOverflow(overflow ? .max : product)
            sum = isOver ? .max : total
        }
        return max(sum, 1)
    }

    /// The points of one data set and their patterns.
    struct Points {
        var x: Matrix<Double>
        var patterns: Matrix<Double>?
    }

    func matrices<Element: KernelScalar>(
        _ x1: Points, _ x2: Points?, kinds: Set<KernelKind>, as _: Element.Type, on executor: any TileExecutor
    ) throws -> Kernels<Matrix<Element>> {
        let columns = x2?.x.rows ?? x1.x.rows
        let nngp = kinds.contains(.nngp) ? Matrix<Element>(uninitializedRows: x1.x.rows, columns: columns) : nil
        let ntk = kinds.contains(.ntk) ? Matrix<Element>(uninitializedRows: x1.x.rows, columns: columns) : nil
        let isSymmetric = x2 == nil
        // Where there is room every point is prepared once, otherwise once for each tile.
        let isHeld = statsBytes(points: x1.x.rows + (x2?.x.rows ?? 0), as: Element.self) <= Self.heldBytes
        let held1 = isHeld ? try allStats(x1, as: Element.self, on: executor) : nil
        let held2 = isHeld ? try x2.map { try allStats($0, as: Element.self, on: executor) } ?? held1 : nil
        let grid = TileGrid(rows: x1.x.rows, columns: columns, side: side(x1.x.rows, columns), upperOnly: isSymmetric)
        try executor.forEach(grid.tiles.count) { index in
            let tile = grid.tiles[index]
            let builder = builder(Element.self)
            let pass = pass(Element.self, hasTheta: ntk != nil)
            let own = held1.map { Array($0[tile.rows]) } ?? tile.rows.map { builder.stats(x1, $0) }
            let sameRows = isSymmetric && tile.rows == tile.columns
            let others = sameRows ? own : held2.map { Array($0[tile.columns]) } ?? tile.columns.map { builder.stats(x2 ?? x1, $0) }
            for (r, i) in tile.rows.enumerated() {
                pass.first = own[r]
                for (c, j) in tile.columns.enumerated() where !sameRows || j >= i {
                    pass.second = others[c]
                    pass.isOwn = isSymmetric && i == j
                    let (covariance, theta) = pass.runAll()
                    for (matrix, value) in [(nngp, covariance), (ntk, theta)] {
                        guard let matrix else { continue }
                        guard abs(Element(value)) <= Element.greatestFiniteMagnitude else {
                            throw KernelError.overflow(set: x2 == nil ? "x1" : "x2", point: j, precision: Element.precisionName)
                        }
                        unsafe matrix.base[i * matrix.columns + j] = Element(value)
                        if isSymmetric { unsafe matrix.base[j * matrix.columns + i] = Element(value) }
                    }
                }
            }
        }
        return Kernels(nngp: nngp, ntk: ntk)
    }

    func diagonals<Element: KernelScalar>(
        _ x: Points, kinds: Set<KernelKind>, as _: Element.Type, on executor: any TileExecutor
    ) throws -> Kernels<[Element]> {
        let nngp = Storage<Element>(count: x.x.rows)
        let ntk = Storage<Element>(count: x.x.rows)
        let blocks = TileGrid(rows: x.x.rows, columns: 1, side: 8, upperOnly: false).tiles
        try executor.forEach(blocks.count) { block in
            let builder = builder(Element.self)
            let pass = pass(Element.self, hasTheta: kinds.contains(.ntk))
            pass.isOwn = true
            for point in blocks[block].rows {
                let stats = builder.stats(x, point)
                pass.first = stats
                pass.second = stats
                let (covariance, theta) = pass.runAll()
                guard abs(Element(covariance)) <= Element.greatestFiniteMagnitude, abs(Element(theta)) <= Element.greatestFiniteMagnitude else {
                    throw KernelError.overflow(set: "x1", point: point, precision: Element.precisionName)
                }
                unsafe nngp.base[point] = Element(covariance)
                unsafe ntk.base[point] = Element(theta)
            }
        }
        return Kernels(
            nngp: kinds.contains(.nngp) ? Array(nngp.elements[..<x.x.rows]) : nil, ntk: kinds.contains(.ntk) ? Array(ntk.elements[..<x.x.rows]) : nil)
    }

    /// Bytes that the statistics of all points may take at once.
    private static var heldBytes: Int { 384 << 20 }

    /// Bytes of the statistics of some points, or of a tile's where that is all that is held, and of what each thread works in.
    func workingBytes<Element: KernelScalar>(points: Int, threads: Int, as _: Element.Type) -> Int {
        let size = MemoryLayout<Element>.stride
        let passes = (pairPlan.passElements(planes: 2) + ownPlan.passElements(planes: 1)).multipliedReportingOverflow(by: threads * size)
        let all = statsBytes(points: points, as: Element.self)
        let held =
            all <= Self.heldBytes ? all : statsBytes(points: min(points, 64), as: Element.self).multipliedReportingOverflow(by: threads).partialValue
        let (bytes, overflow) = held.addingReportingOverflow(passes.partialValue)
        return overflow || passes.overflow ? .max : bytes
    }

    private func statsBytes<Element: KernelScalar>(points: Int, as _: Element.Type) -> Int {
        let size = MemoryLayout<Element>.stride
        var bytes = program.values[0].positions * channels * size
        for value in needs.variances {
            let grid = PositionGrid(program.values[value].spatial)
            bytes += grid.positions * 8 + grid.rows * grid.stride * 4 * size
        }
        for instruction in program.instructions where instruction.operation.weighsPositions {
            let positions = program.values[instruction.inputs[0]].positions
            bytes += positions.multipliedReportingOverflow(by: positions * size).partialValue
        }
        let (total, overflow) = bytes.multipliedReportingOverflow(by: points)
        return overflow ? .max : total
    }

    private func allStats<Element: KernelScalar>(
        _ points: Points, as _: Element.Type, on executor: any TileExecutor
    ) throws -> [PointStats<Element>] {
        let results = Lock([PointStats<Element>?](repeating: nil, count: points.x.rows))
        let blocks = TileGrid(rows: points.x.rows, columns: 1, side: 4, upperOnly: false).tiles
        try executor.forEach(blocks.count) { block in
            let builder = builder(Element.self)
            for row in blocks[block].rows {
                let stats = builder.stats(points, row)
                results.withLock { $0[row] = stats }
            }
        }
        return results.withLock { $0.compactMap { $0 } }
    }

    private func builder<Element: KernelScalar>(_: Element.Type) -> PointStatsBuilder<Element> {
        PointStatsBuilder(program, needs, ownPlan: ownPlan, windows: windows, channels: channels)
    }

    private func pass<Element: KernelScalar>(_: Element.Type, hasTheta: Bool) -> SpatialPass<Element> {
        SpatialPass(pairPlan, channels: channels, hasTheta: hasTheta, empty: PointStats(input: Storage(count: 0)))
    }
}

extension PointStatsBuilder {
    func stats(_ points: SpatialKernel.Points, _ index: Int) -> PointStats<Element> {
        let columns = points.x.columns
        var pattern: UnsafeBufferPointer<Double>?
        if let patterns = points.patterns {
            unsafe pattern = UnsafeBufferPointer(start: patterns.base + index * patterns.columns, count: patterns.columns)
        }
        var stats = unsafe stats(points.x.base + index * columns, pattern: pattern)
        stats.setAddresses(valueCount: valueCount)
        return stats
    }
}
