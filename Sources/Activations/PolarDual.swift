internal import CDualActivations
import Glibc
internal import LinearAlgebra

/// κ and κ̇ in polar coordinates, uniformly accurate in the angle θ:
///
///     κ = 1/2π ∮ ∫ φ(√q1 r cos α) φ(√q2 r cos(α − θ)) r exp(−r²/2) dr dα
///
/// Between the four lines where an argument changes its sign the integrand is smooth in α, on a scale that shrinks with 1/√q towards them:
/// pieces that grow from there. The two halves of the circle are one, in which H± of `RadialTable` stands for the radial integral.
///
/// Holds what was looked up for one run of pairs.
package struct PolarDual {
    package let table: RadialTable
    private var known: RadialTable.Cells = [:]
    private var made: RadialTable.Cells = [:]
    private var rays = RadialTable.Known()
    private var isOpen = false
    private var last: (key: RadialTable.Key, address: UInt)?
    /// Addresses of the coefficients of cells of small numbers, for the floor `flatFloor`; 0 where not known. `known` keeps them alive.
    private var flat: [UInt] = []
    private var flatFloor = 0

    /// Angles and weights, then what follows from them.
    private var angles: [Double] = []
    private var complements: [Double] = []
    private var weights: [Double] = []
    private var first: [Double] = []
    private var second: [Double] = []
    private var firstPlaces: [Double] = []
    private var secondPlaces: [Double] = []
    private var firstCells: [Int32] = []
    private var secondCells: [Int32] = []

    private var slopesOnly = false

    private static let flatSide = 16
    /// Cells that one run of pairs holds, 8 KB each.
    private static let mostCells = 2048
    /// Stands for the cells that cancelled work does not make: nobody sees its sums.
    private static let empty: RadialTable.Cell = {
        let cell = RadialTable.Cell(count: 4 * RadialTable.order * RadialTable.order)
        for index in 0..<cell.count { cell.set(index, 0) }
        return cell
    }()
    private static let rule = GaussLegendre.order16

    package init(_ table: RadialTable) { self.table = table }

    /// Hands on the cells that were made.
    package func finish() {
        if !made.isEmpty { table.add(made) }
    }

    /// Hands on what was made, and begins anew with what the table has kept.
    private mutating func forget() {
        finish()
        (known, made, flat, last, isOpen) = (table.known, [:], [], nil, true)
        if known.count > Self.mostCells { known = [:] }
    }

    /// κ and κ̇ of standard deviations a ≥ b at the angle to the nearer pole.
    package mutating func pair(_ a: Double, _ b: Double, angle: Double, isFar: Bool, slopesOnly: Bool = false) -> (Double, Double) {
        var sums = (0.0, 0.0)
        self.slopesOnly = slopesOnly
        if known.count > Self.mostCells { forget() }
        if !table.ratios.isEmpty { return splitPair(a, b, angle: angle, isFar: isFar) }
        let floor = table.floor(b)
        let end = table.function.scale / a
        // The lines lie an angle apart; on one side of both, arguments have unequal signs unless c < 0.
        if angle > 0 {
            if angle <= 2 * end {
                clear()
                piece(0, angle, reflected: angle)
                add(&sums, a, b, floor, hasEqualSigns: isFar)
            } else {
                clear()
                pieces(angle / 2, end) { $0.piece($1, $2, reflected: angle) }
                add(&sums, a, b, floor, hasEqualSigns: isFar)
                swap(&angles, &complements)
                add(&sums, a, b, floor, hasEqualSigns: isFar)
            }
        }
        clear()
        pieces((.pi - angle) / 2, end) { $0.piece($1, $2, shifted: angle) }
        add(&sums, a, b, floor, hasEqualSigns: !isFar)
        swap(&angles, &complements)
        add(&sums, a, b, floor, hasEqualSigns: !isFar)
        return (sums.0 / (2 * .pi), sums.1 / (2 * .pi))
    }

    /// The same for a function with kinks off zero: pieces end where kinks of both arguments meet at one radius, too.
    private mutating func splitPair(_ a: Double, _ b: Double, angle: Double, isFar: Bool) -> (Double, Double) {
        var sums = (0.0, 0.0)
        let (sine, cosine) = (sin(angle), cos(angle))
        let half = sin(angle / 2)
        let ratios = Set(table.ratios + table.ratios.map { 1 / $0 })
        // a sin x = ratio b sin(θ − x), and a sin(θ + x) = ratio b sin x.
        let between = ratios.map { atan2($0 * b * sine, a + $0 * b * cosine) }
        let around = ratios.map { atan2(a * sine, ($0 * b - a) + a * (2 * half * half)) }
        clear()
        for (from, to) in split(angle, between, a) { piece(from, to, reflected: angle) }
        add(&sums, a, b, table.floor(a), hasEqualSigns: isFar)
        clear()
        for (from, to) in split(.pi - angle, around, a) { piece(from, to, shifted: angle, length: .pi - angle) }
        swap(&angles, &complements)
        add(&sums, a, b, table.floor(a), hasEqualSigns: !isFar)
        return (sums.0 / (2 * .pi), sums.1 / (2 * .pi))
    }

    /// Pieces of [0, length] that grow by twos from both ends, from where kinks off zero count, split at the places.
    private func split(_ length: Double, _ places: [Double], _ a: Double) -> [(Double, Double)] {
        guard length > 0 else { return [] }
        var borders = [0, length / 2, length] + places.filter { $0 > 0 && $0 < length }
        var border = table.unit / a
        while border < 0.4 * length {
            borders += [border, length - border]
            border *= 2
        }
        borders.sort()
        return Array(zip(borders, borders.dropFirst())).filter { $0 < $1 }
    }

    /// Angles x and θ + x, the latter as what it lacks of π where it is nearer to that.
    private mutating func piece(_ from: Double, _ to: Double, shifted angle: Double, length: Double) {
        for k in Self.rule.nodes.indices {
            let x = from + (to - from) * Self.rule.nodes[k]
            angles.append(x <= length / 2 ? x : angle + (length - x))
            complements.append(x <= length / 2 ? angle + x : length - x)
            weights.append((to - from) * Self.rule.weights[k])
        }
    }

    /// From 0 to `length` in pieces that grow by fours from `first`.
    private mutating func pieces(_ length: Double, _ first: Double, _ body: (inout PolarDual, Double, Double) -> Void) {
        var (start, border) = (0.0, first)
        while border < 0.8 * length {
            body(&self, start, border)
            (start, border) = (border, 4 * border)
        }
        body(&self, start, length)
    }

    private mutating func clear() {
        angles.removeAll(keepingCapacity: true)
        complements.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
    }

    /// Angles x and θ − x.
    private mutating func piece(_ from: Double, _ to: Double, reflected angle: Double) {
        let rule = Self.rule
        for k in rule.nodes.indices {
            let x = from + (to - from) * rule.nodes[k]
            angles.append(x)
            complements.append(angle - x)
            weights.append((to - from) * rule.weights[k])
        }
    }

    /// Angles x and θ + x.
    private mutating func piece(_ from: Double, _ to: Double, shifted angle: Double) {
        let rule = Self.rule
        for k in rule.nodes.indices {
            let x = from + (to - from) * rule.nodes[k]
            angles.append(x)
            complements.append(angle + x)
            weights.append((to - from) * rule.weights[k])
        }
    }

    /// Adds Σ weight H±(a sin angle, b sin complement).
    private mutating func add(_ sums: inout (Double, Double), _ a: Double, _ b: Double, _ floor: Int, hasEqualSigns: Bool) {
        while weights.count % Int(NTK_SERIES_RUN) != 0 {
            angles.append(0)
            complements.append(0)
            weights.append(0)
        }
        let count = weights.count
        if first.count < count {
            for array in [\PolarDual.first, \.second, \.firstPlaces, \.secondPlaces] { self[keyPath: array] = [Double](repeating: 0, count: count) }
            firstCells = [Int32](repeating: 0, count: count)
            secondCells = firstCells
        }
        let unit = scalbn(table.unit, floor)
        unsafe ntk_sines(&first, angles, a, count)
        unsafe ntk_sines(&second, complements, b, count)
        if table.ratios.isEmpty {
            unsafe ntk_cell_places(&firstCells, &firstPlaces, first, unit, count)
            unsafe ntk_cell_places(&secondCells, &secondPlaces, second, unit, count)
        } else {
            ratioPlaces(unit, count)
        }
        let size = RadialTable.order * RadialTable.order
        let offset = hasEqualSigns ? 0 : size
        unsafe withUnsafeTemporaryAllocation(of: Optional<UnsafePointer<Double>>.self, capacity: count) { cells in
            for k in 0..<count {
                let address = address(floor, Int(firstCells[k]), Int(secondCells[k]))
                unsafe cells.initializeElement(at: k, to: UnsafePointer<Double>(bitPattern: address).unsafelyUnwrapped + offset)
            }
            unsafe withUnsafeMutablePointer(to: &sums) { sums in
                unsafe sums.withMemoryRebound(to: Double.self, capacity: 2) { out in
                    unsafe ntk_cell_sums(out, cells.baseAddress, 2 * size, firstPlaces, secondPlaces, weights, count, slopesOnly ? 0 : 1)
                }
            }
        }
        withExtendedLifetime(known) {}
    }

    /// Cells and places of the larger argument and of the ratio.
    private mutating func ratioPlaces(_ unit: Double, _ count: Int) {
        for k in 0..<count {
            let (larger, smaller) = (max(first[k], second[k]), min(first[k], second[k]))
            second[k] = larger > 0 ? min(smaller / larger, 1) : 0
            // Octaves of the square are half as long.
            first[k] = (larger / unit) * (larger / unit)
        }
        unsafe ntk_cell_places(&firstCells, &firstPlaces, first, 1, count)
        var borders: (cell: Int32, places: [Double]) = (-1, [])
        for k in 0..<count {
            if borders.cell != firstCells[k] { borders = (firstCells[k], table.borders(Int(firstCells[k]))) }
            if firstCells[k] == 0 { firstPlaces[k] = 2 * first[k].squareRoot() - 1 }
            let ratio = second[k]
            var index = 0
            while index < borders.places.count - 2 && ratio > borders.places[index + 1] { index += 1 }
            let (low, high) = (borders.places[index], borders.places[index + 1])
            secondCells[k] = Int32(index)
            secondPlaces[k] = 2 * (ratio - low) / (high - low) - 1
        }
    }

    /// Where a cell's coefficients are.
    @inline(__always)
    private mutating func address(_ floor: Int, _ first: Int, _ second: Int) -> UInt {
        if floor == flatFloor, first < Self.flatSide, second < Self.flatSide, !flat.isEmpty {
            let address = flat[first * Self.flatSide + second]
            if address != 0 { return address }
        }
        return find(RadialTable.Key(floor: floor, first: first, second: second))
    }

    private mutating func find(_ key: RadialTable.Key) -> UInt {
        if let last, last.key == key { return last.address }
        if !isOpen {
            known = table.known
            isOpen = true
        }
        let cell: RadialTable.Cell
        if let found = known[key] {
            cell = found
        } else if CurrentWork.isCancelled {
            return unsafe UInt(bitPattern: Self.empty.base)
        } else {
            cell = table.make(key, &rays)
            known[key] = cell
            made[key] = cell
        }
        let address = unsafe UInt(bitPattern: cell.base)
        if key.first < Self.flatSide, key.second < Self.flatSide {
            if flat.isEmpty || key.floor != flatFloor {
                flat = [UInt](repeating: 0, count: Self.flatSide * Self.flatSide)
                flatFloor = key.floor
            }
            flat[key.first * Self.flatSide + key.second] = address
        }
        last = (key, address)
        return address
    }
}
