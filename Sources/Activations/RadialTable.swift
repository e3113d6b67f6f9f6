internal import CDualActivations
import Glibc
package import LinearAlgebra
internal import Locks

/// The radial integrals of a function's dual in polar coordinates,
///
///     H±(A, B) = ∫ r exp(−r²/2) (φ(A r) φ(±B r) + φ(−A r) φ(∓B r)) dr,   A, B ≥ 0,
///
/// and the same of the slopes, as Chebyshev series on cells. A cell is a rectangle: [0, s] or [s 2^{k−1}, s 2^k] in either variable, with s a
/// part of the scale on which φ is smooth, or for smaller arguments 2^floor of that. H is analytic inside, whatever φ does at zero.
///
/// A table belongs to a function alone: its cells are made when first met, and never depend on what else was asked.
package final class RadialTable: Sendable {
    /// H+ and H− of values and of slopes: four arrays of coefficients.
    package typealias Cell = Storage<Double>

    package struct Key: Hashable {
        package var floor, first, second: Int
    }

    package typealias Cells = [Key: Cell]

    package static let order = Int(NTK_CELL_ORDER)
    /// More are not kept: 8 KB each.
    private static let most = 2048

    package let function: NumericalFunction
    /// The length of the first cell.
    package let unit: Double
    /// Where kinks off zero of both arguments coincide, B/A is one of these, at most 1: H is smooth between them. Empty without such kinks.
    package let ratios: [Double]
    private let cells = Lock<Cells>([:])

    package init(_ function: NumericalFunction) {
        self.function = function
        // Kinks off zero leave exp(−t²/2A²) behind, which is below rounding at t/8.
        unit = function.kinks.isEmpty ? function.scale / 4 : function.scale / 8
        let kinks = Set(function.kinks.map { abs($0) })
        // With very many kinks only those of equal numbers count; the others cost accuracy, which the estimate tells.
        let pairs: [Double] = kinks.count <= 6 ? kinks.flatMap { a in kinks.filter { $0 <= a }.map { $0 / a } } : [1]
        ratios = Set(pairs).sorted()
    }

    /// What is known now; those who need more make it, and `add` it when they are done.
    package var known: Cells { cells.withLock { $0 } }

    package func add(_ new: Cells) {
        cells.withLock { cells in
            if cells.count + new.count > Self.most { cells = [:] }
            if new.count <= Self.most { cells.merge(new) { first, _ in first } }
        }
        RadialTables.shared.keep(self)
    }

    package var cellCount: Int { cells.withLock { $0.count } }

    package func clear() { cells.withLock { $0 = [:] } }

    /// Where the first cell ends for arguments up to this: 2^floor units.
    package func floor(_ largest: Double) -> Int {
        let ratio = largest / unit
        return ratio >= 1 || ratio == 0 ? 0 : max(Int(ratio.exponent), -900)
    }

    /// The number at a place of a cell, as `ntk_cell_places` has them.
    private static func number(_ unit: Double, _ cell: Int, _ place: Double) -> Double {
        if cell == 0 { return unit * (place + 1) / 2 }
        let y = place / 5.8284271247461907
        return unit * scalbn(1.4142135623730951 * (1 + y) / (1 - y), cell - 1)
    }

    /// Even and odd parts of φ and φ' at the nodes of one cell, times the root of the radial weight: four arrays, one row for each node.
    package struct Rays {
        package var parts: [[Double]]
    }

    /// Rays that several cells need, while these are made.
    package struct Known {
        fileprivate var rays: [Key: Rays] = [:]
        /// How many numbers they may still have: 16 MB.
        fileprivate var left = 1 << 21
    }

    /// - Parameter finest: the largest of both cells, by which the radii are chosen.
    private func rays(_ floor: Int, _ cell: Int, finest: Int, _ known: inout Known) -> Rays {
        let key = Key(floor: floor, first: cell, second: finest)
        if let found = known.rays[key] { return found }
        let unit = scalbn(self.unit, floor)
        let radii = Self.radii(finest: finest + floor)
        let count = radii.count
        var x = [Double](repeating: 0, count: 2 * Self.order * count)
        for (row, node) in Self.nodes.enumerated() {
            let a = Self.number(unit, cell, node)
            for k in 0..<count {
                x[row * count + k] = a * radii[k].node
                x[(Self.order + row) * count + k] = -a * radii[k].node
            }
        }
        var (values, slopes) = (x, x)
        function.activation.evaluate(x, &values, &slopes)
        var parts = [[Double]](repeating: [Double](repeating: 0, count: Self.order * count), count: 4)
        for row in 0..<Self.order {
            for k in 0..<count {
                let (place, weight) = (row * count + k, radii[k].weight)
                let mirrored = place + Self.order * count
                parts[0][place] = weight * (values[place] + values[mirrored])
                parts[1][place] = weight * (values[place] - values[mirrored])
                parts[2][place] = weight * (slopes[place] + slopes[mirrored])
                parts[3][place] = weight * (slopes[place] - slopes[mirrored])
            }
        }
        let rays = Rays(parts: parts)
        let numbers = 4 * Self.order * count
        if known.left >= numbers {
            known.rays[key] = rays
            known.left -= numbers
        }
        return rays
    }

    /// For a function with kinks off zero a cell is half an octave of A, the larger argument, and a range of B/A between these.
    package func borders(_ cell: Int) -> [Double] {
        var borders = Set(ratios)
        borders.formUnion([0, 1])
        for k in 0..<max(cell, 1) { borders.insert(exp2(-Double(k) / 2)) }
        return borders.sorted()
    }

    /// Some 200 radii that end where an argument meets a kink, four values of φ each at 16² places: some milliseconds.
    private func makeSplit(_ key: Key) -> Cell {
        let unit = scalbn(self.unit, key.floor)
        let order = Self.order
        let borders = borders(key.first)
        let (low, high) = (borders[key.second], borders[key.second + 1])
        var values = [[Double]](repeating: [Double](repeating: 0, count: order * order), count: 4)
        for i in 0..<order {
            let number = Self.number(1, key.first, Self.nodes[i])
            let a = unit * (key.first == 0 ? number : number.squareRoot())
            for j in 0..<order {
                let b = a * (low + (high - low) * (Self.nodes[j] + 1) / 2)
                let sums = integrals(a, b)
                for part in 0..<4 { values[part][i * order + j] = sums[part] }
            }
        }
        return Self.cell(values)
    }

    /// H+ and H− of values and of slopes at a ≥ b.
    private func integrals(_ a: Double, _ b: Double) -> [Double] {
        var borders = [0, 1.5, 2, 2.75, 3.5, 4.5, 5.5, 6.5, 8, 10, 13]
        var radius = 1.0
        while radius * a > function.scale / 2 {
            borders.append(radius)
            radius /= 2
        }
        borders.append(radius)
        for kink in function.kinks {
            for argument in [a, b] where abs(kink) < 13 * argument { borders.append(abs(kink) / argument) }
        }
        let rule = GaussLegendre.order16.composite(borders.sorted())
        var x: [Double] = []
        x.reserveCapacity(4 * rule.count)
        for factor in [a, -a, b, -b] { for (radius, _) in rule { x.append(factor * radius) } }
        var (f, g) = (x, x)
        function.activation.evaluate(x, &f, &g)
        var sums = [0.0, 0, 0, 0]
        let n = rule.count
        for k in 0..<n {
            let (radius, weight) = rule[k]
            let density = weight * radius * Glibc.exp(-radius * radius / 2)
            sums[0] += density * (f[k] * f[2 * n + k] + f[n + k] * f[3 * n + k])
            sums[1] += density * (f[k] * f[3 * n + k] + f[n + k] * f[2 * n + k])
            sums[2] += density * (g[k] * g[2 * n + k] + g[n + k] * g[3 * n + k])
            sums[3] += density * (g[k] * g[3 * n + k] + g[n + k] * g[2 * n + k])
        }
        return sums
    }

    /// Some 200 radii, four values of φ each at 32 places, and 16² products of them: a tenth of a millisecond.
    package func make(_ key: Key, _ known: inout Known) -> Cell {
        if !ratios.isEmpty { return makeSplit(key) }
        let finest = max(key.first, key.second)
        let one = rays(key.floor, key.first, finest: finest, &known)
        let other = key.first == key.second ? one : rays(key.floor, key.second, finest: finest, &known)
        let size = Self.order * Self.order
        var products = [[Double]](repeating: [Double](repeating: 0, count: size), count: 4)
        for part in 0..<4 {
            unsafe ntk_cell_products(&products[part], one.parts[part], other.parts[part], one.parts[part].count / Self.order)
        }
        // H± = (even products ± odd products) / 2.
        let parts = [(0.5, 0), (-0.5, 0), (0.5, 2), (-0.5, 2)]
        return Self.cell(parts.map { sign, part in (0..<size).map { 0.5 * products[part][$0] + sign * products[part + 1][$0] } })
    }

    /// From the values of four functions at the nodes.
    private static func cell(_ values: [[Double]]) -> Cell {
        let cell = Cell(count: 4 * order * order)
        for (array, values) in values.enumerated() {
            var coefficients = values
            unsafe ntk_cell_transform(&coefficients, cosines)
            for (index, coefficient) in coefficients.enumerated() { cell.set(array * order * order + index, coefficient) }
        }
        return cell
    }

    /// Radii up to 13 with √(weight r exp(−r²/2)): powers of two down to where the finest cell's arguments are within its unit.
    private static func radii(finest: Int) -> [(node: Double, weight: Double)] {
        var borders = [0.0]
        for k in stride(from: -max(finest, 0) - 1, through: 0, by: 1) { borders.append(scalbn(1, k)) }
        borders += [1.5, 2, 2.75, 3.5, 4.5, 5.5, 6.5, 8, 10, 13]
        return GaussLegendre.order16.composite(borders).map { r, weight in
            let density = r * Glibc.exp(-r * r / 2)
            return (r, (weight * density).squareRoot())
        }
    }

    private static let nodes: [Double] = (0..<order).map { cos(.pi * (Double($0) + 0.5) / Double(order)) }

    private static let cosines: [Double] = (0..<order).flatMap { (k: Int) -> [Double] in
        let factor = (k == 0 ? 1.0 : 2.0) / Double(order)
        return (0..<order).map { (j: Int) -> Double in
            let angle = Double.pi * Double(k) * (Double(j) + 0.5) / Double(order)
            return factor * cos(angle)
        }
    }
}
