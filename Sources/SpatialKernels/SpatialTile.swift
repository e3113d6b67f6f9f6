import Activations
import KernelLoops
import LinearAlgebra
import Locks

/// The points of both sides, prepared once where there is room, otherwise once for each tile.
struct PreparedSides<Element: KernelScalar>: Sendable {
    let kernel: SpatialKernel
    let x1, x2: SpatialKernel.Points
    let isSymmetric: Bool
    private let quick: (first: [PointStats<Element>], second: [PointStats<Element>])?
    private let exact: (first: [PointStats<Double>], second: [PointStats<Double>])?

    init(
        _ kernel: SpatialKernel, _ x1: SpatialKernel.Points, _ x2: SpatialKernel.Points?, as _: Element.Type, on executor: any TileExecutor
    ) throws {
        self.kernel = kernel
        self.x1 = x1
        self.x2 = x2 ?? x1
        isSymmetric = x2 == nil
        let points = x1.x.rows + (x2?.x.rows ?? 0)
        func prepare<Number: KernelScalar>(_ engine: SpatialEngine, as _: Number.Type) throws -> ([PointStats<Number>], [PointStats<Number>])? {
            guard engine.statsBytes(points: points, as: Number.self) <= SpatialKernel.heldBytes else { return nil }
            let first = try Self.all(engine, x1, as: Number.self, on: executor)
            return (first, try x2.map { try Self.all(engine, $0, as: Number.self, on: executor) } ?? first)
        }
        // Of points that squared distances tell well only few need more.
        quick = try kernel.quick.flatMap { try prepare($0, as: Element.self) }
        exact = kernel.quick == nil ? try prepare(kernel.exact, as: Double.self) : nil
    }

    /// Of one set with itself, prepared tile by tile.
    init(_ kernel: SpatialKernel, _ x: SpatialKernel.Points) {
        self.kernel = kernel
        (x1, x2, isSymmetric) = (x, x, true)
        (quick, exact) = (nil, nil)
    }

    private static func all<Number: KernelScalar>(
        _ engine: SpatialEngine, _ points: SpatialKernel.Points, as _: Number.Type, on executor: any TileExecutor
    ) throws -> [PointStats<Number>] {
        let results = Lock([PointStats<Number>?](repeating: nil, count: points.x.rows))
        let blocks = TileGrid(rows: points.x.rows, columns: 1, side: 4, upperOnly: false).tiles
        try executor.forEach(blocks.count) { block in
            let builder = engine.builder(Number.self)
            for row in blocks[block].rows {
                let stats = try builder.stats(points, row)
                results.withLock { $0[row] = stats }
            }
        }
        return try results.withLock { try $0.map { try needed($0, "a point's statistics") } }
    }

    func quickSides(_ rows: Range<Int>, _ columns: Range<Int>) throws -> (first: [PointStats<Element>], second: [PointStats<Element>])? {
        guard let engine = kernel.quick else { return nil }
        if let quick { return (Array(quick.first[rows]), Array(quick.second[columns])) }
        let builder = engine.builder(Element.self)
        let first = try rows.map { try builder.stats(x1, $0) }
        return (first, isSymmetric && rows == columns ? first : try columns.map { try builder.stats(x2, $0) })
    }

    /// A point of one side, if it was prepared.
    func exactPoint(_ index: Int, isSecond: Bool) throws -> PointStats<Double>? { exact.map { isSecond ? $0.second[index] : $0.first[index] } }
}

/// Runs over the pairs of a tile, by squared distances as long as these tell all angles well, else by gaps. Belongs to one thread.
final class SpatialTile<Element: KernelScalar> {
    private let sides: PreparedSides<Element>
    private let rows, columns: Range<Int>
    private let hasTheta: Bool
    private let quick: (pass: SpatialPass<Element>, first: [PointStats<Element>], second: [PointStats<Element>])?
    /// Of the pairs so far, the largest estimate of an error relative to √(K_ii K_jj), see `SpatialPass.uncertainty`; 0 for less than rounding.
    private(set) var errorEstimate = 0.0
    /// The point of x1 that the pass of squared distances has.
    private var row: Int?
    /// Made when the first pair needs them.
    private var exact: (pass: SpatialPass<Double>, builder: PointStatsBuilder<Double>)?
    /// Of x1 and of x2.
    private var exactPoints: [[Int: PointStats<Double>]] = [[:], [:]]

    init(_ sides: PreparedSides<Element>, rows: Range<Int>, columns: Range<Int>, hasTheta: Bool) throws {
        self.sides = sides
        self.rows = rows
        self.columns = columns
        self.hasTheta = hasTheta
        let prepared = try sides.quickSides(rows, columns)
        if let engine = sides.kernel.quick, let prepared {
            quick = (engine.pass(Element.self, hasTheta: hasTheta), prepared.first, prepared.second)
        } else {
            quick = nil
        }
    }

    /// K and Θ of point i of x1 with point j of x2; `isOwn`: they are one sample.
    func pair(_ i: Int, _ j: Int, isOwn: Bool) throws -> (covariance: Double, theta: Double) {
        if let quick {
            // A row's point is set once: what it holds is counted by many references.
            if i != row {
                quick.pass.first = quick.first[i - rows.lowerBound]
                row = i
            }
            quick.pass.second = quick.second[j - columns.lowerBound]
            if !quick.pass.first.vanishes, !quick.pass.second.vanishes, quick.pass.first.fits(quick.pass.second) {
                quick.pass.isOwn = isOwn
                let result = try quick.pass.runAll()
                if !quick.pass.isBlurred {
                    note(quick.pass.uncertainty, atLeast: MemoryLayout<Element>.size == 4 ? 1e-6 : 1e-14)
                    return result
                }
            }
        }
        let work = exact ?? (sides.kernel.exact.pass(Double.self, hasTheta: hasTheta), sides.kernel.exact.builder(Double.self))
        exact = work
        let first = try exactPoint(i, isSecond: false, work.builder)
        let second = isOwn ? first : try exactPoint(j, isSecond: !sides.isSymmetric, work.builder)
        work.pass.first = first
        work.pass.second = second
        work.pass.isOwn = isOwn
        let result = try work.pass.runAll()
        note(work.pass.uncertainty, atLeast: 1e-14)
        note(max(first.dualError, second.dualError), atLeast: 0)
        return result
    }

    private func note(_ uncertainty: Double, atLeast least: Double) { if uncertainty > least { errorEstimate = max(errorEstimate, uncertainty) } }

    private func exactPoint(_ index: Int, isSecond: Bool, _ builder: PointStatsBuilder<Double>) throws -> PointStats<Double> {
        if let known = exactPoints[isSecond ? 1 : 0][index] { return known }
        var stats = try sides.exactPoint(index, isSecond: isSecond) ?? builder.stats(isSecond ? sides.x2 : sides.x1, index)
        if stats.vanishes { throw KernelError.underflow(set: isSecond ? "x2" : "x1", point: index) }
        stats.dualError = DualActivation.errorEstimate(stats.duals.values)
        exactPoints[isSecond ? 1 : 0][index] = stats
        return stats
    }
}

extension PointStats {
    /// Whether squared distances between positions of both points tell their covariances: of lengths that are alike, and whose squares are far
    /// from the ends of the numbers' range.
    fileprivate func fits(_ other: PointStats) -> Bool {
        guard !isUneven, !other.isUneven else { return false }
        let (small, large) = (min(largest, other.largest), max(largest, other.largest))
        if large == 0 { return true }
        let range = MemoryLayout<Element>.size == 4 ? 1e-6...1e6 : 1e-60...1e60
        guard range.contains(small), range.contains(large), large <= 8 * small else { return false }
        // Lengths may part behind sums that cancel in one of the points.
        return zip(levels, other.levels).allSatisfy { max($0, $1) <= 8 * min($0, $1) }
    }
}
