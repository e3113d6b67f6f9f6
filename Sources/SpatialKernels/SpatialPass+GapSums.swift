import Architecture
import KernelLoops
import LinearAlgebra

// Sums of covariances that are held by gaps. With the unit vectors û, v̂ of the terms' standard deviations (weighted, of both points),
//
//     1 ∓ c' = Σ û v̂ (1 ∓ c) + ½ Σ (û − v̂)²,
//
// a sum of terms that are not negative: positions whose terms are proportional keep their angle's digits however long they are.
extension SpatialPass {
    /// K = Σ weight K_k, Θ = Σ weight Θ_k.
    func combineGaps(_ inputs: [Plane], _ weights: [Double], _ output: Plane) throws {
        let inputs = unsafe aligned(inputs, output)
        let pairs = try unsafe inputs.map { try unsafe GapPairs(self, $0.value) }
        let (after1, after2) = try unsafe variances(output.value)
        let (i1, i2) = unsafe (after1.inverses(0), after2.inverses(0))
        let roots = weights.map { Element($0.squareRoot()) }
        let isZero = unsafe inputs.map { unsafe plan.isThetaZero[$0.value] }
        unsafe forEachRow(output) { row in
            for c in 0..<(unsafe output.list.grid.width) {
                let (i, j, place) = (row.firstElement + c * row.step, row.secondElement + c, row.start + c)
                let (f1, f2) = unsafe (i1[i], i2[j])
                var (near, far, lack, tangent): (Element, Element, Element, Element) = (0, 0, 0, 0)
                for k in unsafe inputs.indices {
                    let (u, v) = unsafe ((pairs[k].a1[i] * f1) * roots[k], (pairs[k].a2[j] * f2) * roots[k])
                    let (below, above) = unsafe distances(ofGap: inputs[k].base[place])
                    near += u * v * below
                    far += u * v * above
                    lack += (u - v) * (u - v)
                    if !isZero[k], let theta = unsafe inputs[k].theta { unsafe tangent += Element(weights[k]) * theta[place] }
                }
                unsafe output.base[place] = f1 > 0 && f2 > 0 ? signedGap(near: near + lack / 2, far: far + lack / 2) : 1
                if let theta = unsafe output.theta { unsafe theta[place] = tangent }
            }
        }
    }

    /// Mean over positions of each with its own.
    func flattenGaps(_ input: Plane, _ output: Plane) throws {
        let list = unsafe BlockList(aligned: input.list.grid)
        let input = unsafe held(input, as: list)
        let pairs = try unsafe GapPairs(self, input.value)
        let (after1, after2) = try unsafe variances(output.value)
        let (f1, f2) = unsafe (after1.inverses(0)[0], after2.inverses(0)[0])
        let share = 1 / Element(list.grid.positions)
        let root = share.squareRoot()
        var (near, far, lack, tangent): (Double, Double, Double, Double) = (0, 0, 0, 0)
        unsafe forEachRow(input) { row in
            for c in 0..<list.grid.width {
                let (i, j, place) = (row.firstElement + c * row.step, row.secondElement + c, row.start + c)
                let (u, v) = unsafe ((pairs.a1[i] * f1) * root, (pairs.a2[j] * f2) * root)
                let (below, above) = unsafe distances(ofGap: input.base[place])
                near += Double(u * v * below)
                far += Double(u * v * above)
                lack += Double((u - v) * (u - v))
                if let theta = unsafe input.theta { unsafe tangent += Double(share * theta[place]) }
            }
        }
        unsafe output.base.initialize(repeating: 0, count: output.list.elements)
        unsafe output.base[0] = f1 > 0 && f2 > 0 ? Element(signedGap(near: near + lack / 2, far: far + lack / 2)) : 1
        guard let theta = unsafe output.theta else { return }
        unsafe theta.initialize(repeating: 0, count: output.list.elements)
        unsafe theta[0] = plan.isThetaZero[input.value] ? 0 : Element(tangent)
    }

    /// Means over windows at the same offset on both sides; beyond an edge there is a zero vector.
    func windowGaps(_ index: Int, _ table: WindowTable, _ input: Plane, _ output: Plane) throws {
        let input = unsafe held(input, as: table.input)
        let (units1, units2) = (try needed(first.windowUnits[index], "units of a window"), try needed(second.windowUnits[index], "units of a window"))
        let grid = table.output.grid
        let sums = unsafe GapSums(self, width: grid.width, units2.base, hasFar: !plan.isNonnegative[input.value])
        let pairs = try unsafe GapPairs(self, output.value)
        let (size, taps) = (grid.rows * grid.stride, table.inner.window)
        let sources = (0..<taps).map { TapSources(table.inner, tap: $0, width: grid.width) }
        unsafe forEachRow(output) { row in
            let (r1, r2) = (row.firstPosition / grid.width, row.secondPosition / grid.width)
            let x = row.firstPosition % grid.width
            unsafe sums.begin()
            for outer in 0..<table.rowTaps {
                let (a, b) = (Int(table.rows[r1 * table.rowTaps + outer]), Int(table.rows[r2 * table.rowTaps + outer]))
                for tap in 0..<taps {
                    let start = (outer * taps + tap) * size
                    let (own, others) = unsafe (units1.base + start + r1 * grid.stride + x, start + r2 * grid.stride)
                    unsafe sums.add(lack: own, row.step, others)
                    guard a >= 0, b >= 0 else { continue }
                    if row.step == 1 {
                        unsafe sums.add(own, 1, others, input.base + a * table.input.grid.stride, sources[tap])
                    } else if sources[tap].places[x] >= 0, let block = table.input.block(a, b) {
                        let from = unsafe input.base + block * table.input.blockSize + sources[tap].places[x] * table.input.grid.stride
                        unsafe sums.add(own, 0, others, from, sources[tap])
                    }
                }
            }
            unsafe sums.finish(output.base + row.start)
            for c in 0..<grid.width where unsafe pairs.product(row, c) == 0 { unsafe output.base[row.start + c] = 1 }
        }
        guard let theta = unsafe output.theta, let source = unsafe input.theta, unsafe !plan.isThetaZero[input.value] else { return }
        unsafe windowSums(index, table, source, theta, output)
    }
}

/// What a row of pairs sums up.
@unsafe struct GapSums<Element: KernelScalar> {
    private let near, far, lack: UnsafeMutablePointer<Element>
    private let units: UnsafeMutablePointer<Element>
    private let width: Int
    /// Whether cosines may be negative.
    private let hasFar: Bool

    init(_ pass: SpatialPass<Element>, width: Int, _ units: UnsafeMutablePointer<Element>, hasFar: Bool) {
        let room = pass.scratch.elements(41, 3 * width)
        unsafe (near, far, lack) = (room.base, room.base + width, room.base + 2 * width)
        unsafe (self.units, self.width, self.hasFar) = (units, width, hasFar)
    }

    func begin() { unsafe near.initialize(repeating: 0, count: 3 * width) }

    /// (û − v̂)² of one term.
    func add(lack own: UnsafeMutablePointer<Element>, _ step: Int, _ others: Int) {
        let v = unsafe units + others
        if step == 0 {
            let u = unsafe own[0]
            for c in 0..<(unsafe width) { unsafe lack[c] += (u - v[c]) * (u - v[c]) }
        } else {
            for c in 0..<(unsafe width) { unsafe lack[c] += (own[c] - v[c]) * (own[c] - v[c]) }
        }
    }

    /// û v̂ (1 ∓ c) of one term, with the gaps at `gaps[sources.places[c]]`.
    func add(_ own: UnsafeMutablePointer<Element>, _ step: Int, _ others: Int, _ gaps: UnsafeMutablePointer<Element>, _ sources: TapSources) {
        let v = unsafe units + others
        if let shift = sources.shift {
            for c in sources.inside { unsafe add(c, own[c * step] * v[c], gaps[c + shift]) }
            return
        }
        for c in sources.inside where sources.places[c] >= 0 { unsafe add(c, own[c * step] * v[c], gaps[sources.places[c]]) }
    }

    @inline(__always)
    private func add(_ c: Int, _ weight: Element, _ gap: Element) {
        let (below, above) = distances(ofGap: gap)
        unsafe near[c] += weight * below
        if unsafe hasFar { unsafe far[c] += weight * above }
    }

    func finish(_ target: UnsafeMutablePointer<Element>) {
        for c in 0..<(unsafe width) {
            let half = unsafe lack[c] / 2
            unsafe target[c] = hasFar ? signedGap(near: near[c] + half, far: far[c] + half) : min(near[c] + half, 1)
        }
    }
}

/// The input position that a tap finds along the last axis, for each output position.
struct TapSources {
    /// -1 beyond an edge.
    let places: [Int]
    /// The output positions that find one.
    let inside: Range<Int>
    /// What must be added to an output position inside, where that is the same for all.
    let shift: Int?

    init(_ axis: WindowAxis, tap: Int, width: Int) {
        let places = (0..<width).map { axis.source($0, tap) ?? -1 }
        self.places = places
        let first = places.firstIndex { $0 >= 0 } ?? width
        let last = places.lastIndex { $0 >= 0 } ?? width - 1
        let inside = first..<max(last + 1, first)
        self.inside = inside
        shift = inside.isEmpty ? 0 : inside.allSatisfy { places[$0] - $0 == places[first] - first } ? places[first] - first : nil
    }
}
