import Activations
import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

/// What belongs to the points of one data set and not to pairs: unit vectors, the variance of every value, the kernels' diagonals.
///
/// All of it is computed in float64 by each point's own exact formula, in O(points · (features + layers)).
struct PointSet<Element: KernelScalar>: Sendable {
    /// Points, without the padding.
    let count: Int
    let features: Int
    /// The points themselves, and |x| of each.
    let x: Matrix<Double>
    let norms: Storage<Double>
    /// x / |x| in rows, a zero row for x = 0; padded with zero rows to a multiple of `rowPadding`, or of `blockRows` without panels.
    let units: Storage<Element>
    /// The same in panels of `Element.cosinePanel` points, coordinate by coordinate; empty for a set that is only the first of two.
    let panels: Storage<Element>
    /// Of each row of units, for each chunk of coordinates, the sum that `cosines` takes off: [chunks, rows].
    let pairSums: Storage<Element>
    /// K(x, x) of each value, where pairs that nearly coincide may need them; else empty.
    let variances: [[Double]]
    /// Whether errors of small angles grow without bound in this network at these points.
    let isSharp: Bool
    /// Of each point whether its own variances make it so; empty where it is so of none.
    let isAmplifying: [Bool]
    /// Whether numbers are so large that a product of two may not be finite.
    let mayOverflow: Bool
    /// One entry for each instruction of the program.
    let stages: [Stage]
    /// Standard deviation of the output at each point: √K(x, x).
    let outputStd: Storage<Element>
    /// K(x, x) and Θ(x, x).
    let nngpDiagonal: [Double]
    let ntkDiagonal: [Double]
    /// Estimated error of the kernels of these points, see `Kernels`.
    let errorEstimate: Double

    /// Up to a multiple of this the last tile reads rows of units beyond the points: whole panels, and whole runs.
    static var rowPadding: Int { Element.cosinePanel % run == 0 ? Element.cosinePanel : 2 * Element.cosinePanel }

    /// - Parameters:
    ///   - set: names the data set in an error.
    ///   - inPanels: whether it is to be the second of two sets.
    init(_ x: Matrix<Double>, plan: VectorPlan, set: String, inPanels: Bool = true, on executor: any TileExecutor) throws {
        count = x.rows
        features = x.columns
        units = Storage(count: x.rows.roundedUp(to: inPanels ? Self.rowPadding : blockRows) * x.columns)
        panels = Storage(count: inPanels ? units.count : 0)
        pairSums = Storage(count: units.count / x.columns * ((x.columns + cosineChunk - 1) / cosineChunk))
        self.x = x
        norms = try Self.normalize(x, into: units, panels, pairSums, on: executor)
        let input = PointValues(
            variance: unsafe UnsafeBufferPointer(start: norms.base, count: x.rows).map { ($0 / Double(x.columns).squareRoot()).squared })
        var recursion = PointRecursion<Element>(input, plan)
        var variances = plan.mayBeSharp ? [input.variance] : []
        stages = try plan.program.instructions.indices.map { index in
            let stage = try recursion.advance(on: executor)
            if plan.mayBeSharp { variances.append(recursion.values[index + 1].variance) }
            return stage
        }
        self.variances = variances
        isSharp = plan.isSharp || (plan.mayBeSharp && recursion.isAmplifying)
        isAmplifying = recursion.amplifying
        errorEstimate = DualActivation.errorEstimate(stages.lazy.compactMap { if case .dual(let points) = $0 { points } else { nil } })
        if let point = recursion.vanished { throw KernelError.underflow(set: set, point: point) }
        let output = recursion.values[plan.program.output]
        outputStd = Self.padded(output.variance.lazy.map { $0.squareRoot() })
        nngpDiagonal = output.variance
        ntkDiagonal = output.theta
        let largest = Double(Element.greatestFiniteMagnitude)
        // A value that overflowed on the way is infinite or not a number here, or was noted by `advance`.
        mayOverflow = recursion.largest.contains { !($0 < largest.squareRoot() / 1e4) }
        for point in 0..<count
        where !(recursion.largest[point] <= largest && nngpDiagonal[point] <= largest && ntkDiagonal[point] <= largest) {
            throw KernelError.overflow(set: set, point: point, precision: Element.precisionName)
        }
    }

    /// Copies to a storage that the loops can overrun by less than a run and by the padding of the last tile.
    static func padded(_ values: some Collection<Double>) -> Storage<Element> { values.padded(as: Element.self, by: rowPadding) }

    /// From row `point` on, for `cosines`.
    func rows(from point: Int) -> UnitPoints<Element> {
        unsafe UnitPoints(units: units.base + point * features, pairSums: pairSums.base + point, stride: units.count / features)
    }

    /// From point `point` on, at the start of a panel.
    func panels(from point: Int) -> UnitPoints<Element> {
        unsafe UnitPoints(units: panels.base + point * features, pairSums: pairSums.base + point, stride: units.count / features)
    }

    /// Fills the storages and returns |x| of every point.
    private static func normalize(
        _ x: Matrix<Double>, into units: Storage<Element>, _ panels: Storage<Element>, _ pairSums: Storage<Element>, on executor: any TileExecutor
    ) throws -> Storage<Double> {
        let norms = Storage<Double>(count: x.rows)
        let columns = x.columns
        let padded = units.count / columns
        let blocks = TileGrid(rows: x.rows, columns: 1, side: 48.roundedUp(to: rowPadding), upperOnly: false).tiles
        try executor.forEach(blocks.count) { block in
            let rows = blocks[block].rows
            for row in rows {
                unsafe norms.base[row] = Element.normalize(x.base + row * columns, units.base + row * columns, columns)
            }
            let end = min(rows.upperBound.roundedUp(to: rowPadding), padded)
            unsafe (units.base + rows.upperBound * columns).initialize(repeating: 0, count: (end - rows.upperBound) * columns)
            for row in rows.lowerBound..<end {
                unsafe Element.pairSums(pairSums.base + row, stride: padded, units.base + row * columns, columns)
            }
            guard panels.count > 0 else { return }
            for row in stride(from: rows.lowerBound, to: end, by: Element.cosinePanel) {
                unsafe Element.packPanel(panels.base + row * columns, units.base + row * columns, columns, points: Element.cosinePanel)
            }
        }
        return norms
    }
}

extension Collection<Double> {
    /// A copy in a storage with `padding` zeros behind.
    func padded<Number: Scalar>(as _: Number.Type, by padding: Int) -> Storage<Number> {
        let storage = Storage<Number>(count: count + padding)
        for (index, value) in enumerated() { unsafe storage.base[index] = Number(value) }
        unsafe (storage.base + count).initialize(repeating: 0, count: padding)
        return storage
    }
}
