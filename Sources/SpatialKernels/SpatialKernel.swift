package import Activations
package import Architecture
package import KernelLoops
package import LinearAlgebra
import Locks

/// Kernels of points with spatial axes.
///
/// Networks whose activations are relu and its kin run over squared distances, which is fastest; pairs of points whose angles these tell badly,
/// and all other networks, run over gaps. Which of both an entry comes from depends on its two points only.
package struct SpatialKernel: Sendable {
    let program: KernelProgram
    let channels: Int
    let exact: SpatialEngine
    /// Nil where an activation is no relu's kin.
    let quick: SpatialEngine?
    var needs: SpatialNeeds { (quick ?? exact).needs }

    /// - Throws: where the tables of the plan take more than the meter allows.
    package init(_ program: KernelProgram, channels: Int, meter: CompilationMeter) throws(ArchitectureError) {
        var program = program
        let inputMaps = program.takeInputMaps()
        self.program = program
        self.channels = channels
        let tables = SpatialTables(meter: meter)
        exact = try SpatialEngine(program, channels: channels, .gap, inputMaps, tables)
        let isPiecewiseLinear = program.instructions.allSatisfy { instruction in
            if case .activation(let step) = instruction.operation { step.abRelu != nil } else { true }
        }
        quick = isPiecewiseLinear ? try SpatialEngine(program, channels: channels, .distance, inputMaps, tables) : nil
    }

    /// Points on a side of a tile: the points' variances are worked out once for each tile, and there are tiles for every thread.
    private func side(_ rows: Int, _ columns: Int) -> Int {
        let largest = needs.pairings[0] == .full ? 8 : 32
        return min(largest, max(1, Int((Double(rows) * Double(columns) / 16).squareRoot())))
    }

    /// The points of one data set and their patterns.
    package struct Points {
        let x: Matrix<Double>
        let patterns: Matrix<Double>?

        package init(x: Matrix<Double>, patterns: Matrix<Double>? = nil) {
            self.x = x
            self.patterns = patterns
        }
    }

    @specialized(where Element == Double)
    @specialized(where Element == Float)
    package func matrices<Element: KernelScalar>(
        _ x1: Points, _ x2: Points?, kinds: Set<KernelKind>, as _: Element.Type, on executor: any TileExecutor
    ) throws -> Kernels<Matrix<Element>> {
        let columns = x2?.x.rows ?? x1.x.rows
        let nngp = kinds.contains(.nngp) ? Matrix<Element>(uninitializedRows: x1.x.rows, columns: columns) : nil
        let ntk = kinds.contains(.ntk) ? Matrix<Element>(uninitializedRows: x1.x.rows, columns: columns) : nil
        let isSymmetric = x2 == nil
        let sides = try PreparedSides(self, x1, x2, as: Element.self, on: executor)
        let errorEstimate = Lock(0.0)
        let grid = TileGrid(rows: x1.x.rows, columns: columns, side: side(x1.x.rows, columns), upperOnly: isSymmetric)
        try executor.forEach(grid.tiles.count) { index in
            let tile = grid.tiles[index]
            let work = try SpatialTile<Element>(sides, rows: tile.rows, columns: tile.columns, hasTheta: ntk != nil)
            for i in tile.rows {
                for j in tile.columns where !isSymmetric || tile.rows != tile.columns || j >= i {
                    if CurrentWork.isCancelled { return }
                    let (covariance, theta) = try work.pair(i, j, isOwn: isSymmetric && i == j)
                    for (matrix, value) in [(nngp, covariance), (ntk, theta)] {
                        guard let matrix else { continue }
                        guard abs(Element(value)) <= Element.greatestFiniteMagnitude else {
                            throw isSymmetric && i == j
                                ? KernelError.overflow(set: "x1", point: j, precision: Element.precisionName)
                                : .pairOverflow(first: i, second: j, isAmongOneSet: isSymmetric, precision: Element.precisionName)
                        }
                        unsafe matrix.base[i * matrix.columns + j] = Element(value)
                        if isSymmetric { unsafe matrix.base[j * matrix.columns + i] = Element(value) }
                    }
                }
            }
            errorEstimate.withLock { $0 = max($0, work.errorEstimate) }
        }
        return Kernels(nngp: nngp, ntk: ntk, errorEstimate: errorEstimate.withLock { $0 })
    }

    @specialized(where Element == Double)
    @specialized(where Element == Float)
    package func diagonals<Element: KernelScalar>(
        _ x: Points, kinds: Set<KernelKind>, as _: Element.Type, on executor: any TileExecutor
    ) throws -> Kernels<[Element]> {
        let nngp = Storage<Element>(count: x.x.rows)
        let ntk = Storage<Element>(count: x.x.rows)
        let blocks = TileGrid(rows: x.x.rows, columns: 1, side: 8, upperOnly: false).tiles
        let sides = PreparedSides<Element>(self, x)
        let errorEstimate = Lock(0.0)
        try executor.forEach(blocks.count) { block in
            let rows = blocks[block].rows
            let work = try SpatialTile<Element>(sides, rows: rows, columns: rows, hasTheta: kinds.contains(.ntk))
            for point in rows {
                if CurrentWork.isCancelled { return }
                let (covariance, theta) = try work.pair(point, point, isOwn: true)
                guard abs(Element(covariance)) <= Element.greatestFiniteMagnitude, abs(Element(theta)) <= Element.greatestFiniteMagnitude else {
                    throw KernelError.overflow(set: "x1", point: point, precision: Element.precisionName)
                }
                unsafe nngp.base[point] = Element(covariance)
                unsafe ntk.base[point] = Element(theta)
            }
            errorEstimate.withLock { $0 = max($0, work.errorEstimate) }
        }
        return Kernels(
            nngp: kinds.contains(.nngp) ? Array(nngp.elements[..<x.x.rows]) : nil, ntk: kinds.contains(.ntk) ? Array(ntk.elements[..<x.x.rows]) : nil,
            errorEstimate: errorEstimate.withLock { $0 })
    }

    /// Bytes that the statistics of all points may take at once.
    static var heldBytes: Int { 384 << 20 }

    /// Bytes of the statistics of some points, or of a tile's where that is all that is held, and of what each thread works in.
    package func workingBytes<Element: KernelScalar>(points: Int, threads: Int, as _: Element.Type) -> Int {
        let (bytes, overflow) = (quick?.workingBytes(points: points, threads: threads, as: Element.self) ?? 0)
            .addingReportingOverflow(exact.workingBytes(points: points, threads: threads, as: Double.self))
        return overflow ? .max : bytes
    }
}

extension PointStatsBuilder {
    func stats(_ points: SpatialKernel.Points, _ index: Int) throws -> PointStats<Element> {
        let columns = points.x.columns
        var pattern: UnsafeBufferPointer<Double>?
        if let patterns = points.patterns {
            unsafe pattern = UnsafeBufferPointer(start: patterns.base + index * patterns.columns, count: patterns.columns)
        }
        var stats = try unsafe stats(points.x.base + index * columns, pattern: pattern)
        stats.setAddresses(valueCount: valueCount)
        stats.setLevels(needs.forms)
        return stats
    }
}
