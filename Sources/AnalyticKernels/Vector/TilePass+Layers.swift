import Activations
import Architecture
import KernelLoops
import LinearAlgebra

// The layers of a row beyond the plain affine map.
extension TilePass {
    func activation(
        _ step: ActivationStep, _ own: PointSet<Element>.Stage, _ other: PointSet<Element>.Stage, _ pairs: PairRun,
        _ row: RowSlot<Element>, _ scratch: RowScratch<Element>
    ) throws {
        switch (step.activation, own, other) {
        case (.erf(let a, let b, _), .erf(let own, let offset1), .erf(let other, let offset2)):
            unsafe scratch.before.update(from: row.z, count: pairs.count)
            if unsafe erf(own, other, slope: Element(a * b * (a * b) * (4 / .pi)), pairs, row) {
                unsafe refineErf(b, own, other, pairs, before: scratch.before, row.z)
            }
            if let offset1, let offset2 { unsafe addConstant(offset1, offset2, pairs, row.z) }
        case (_, .dual(let own), .dual(let other)):
            // A pair can take microseconds, and a tile has many rows and layers.
            if CurrentWork.isCancelled { return }
            unsafe scratch.gaps.update(from: row.z, pairs.count)
            let count = min(pairs.count, x2.count - pairs.j)
            unsafe step.dual.pairs(
                own, pairs.i, ownStride: 0, other, pairs.j, count: count, gaps: scratch.gaps.base, covariance: scratch.covariance.base,
                derivative: row.theta == nil ? nil : scratch.derivative.base, gapsBehind: scratch.gaps.base)
            for k in 0..<count {
                unsafe row.z[k] = Element(scratch.gaps.base[k])
                if let theta = unsafe row.theta { unsafe theta[k] *= Element(scratch.derivative.base[k]) }
            }
        default:
            throw KernelFault("the points of an activation")
        }
    }

    /// Returns whether some gaps have lost digits.
    private func erf(
        _ own: PointSet<Element>.ErfConstants, _ other: PointSet<Element>.ErfConstants, slope: Element, _ pairs: PairRun,
        _ row: RowSlot<Element>
    ) -> Bool {
        let (i, j) = (pairs.i, pairs.j)
        let point = unsafe [own.p.base[i], own.r.base[i], own.rest.base[i], own.cosine.base[i], own.scale.base[i], own.inverse.base[i]]
        let others = unsafe ErfPointers(
            p: other.p.base + j, r: other.r.base + j, rest: other.rest.base + j, cosine: other.cosine.base + j, scale: other.scale.base + j,
            inverse: other.inverse.base + j)
        return unsafe Element.erf(row.z, row.theta, pairs.count, slope, point, others)
    }

    /// Collinear points of different norms: what makes up the gap nearly cancels, and it is taken in more digits.
    private func refineErf(
        _ b: Double, _ own: PointSet<Element>.ErfConstants, _ other: PointSet<Element>.ErfConstants, _ pairs: PairRun,
        before: UnsafeMutablePointer<Element>, _ z: UnsafeMutablePointer<Element>
    ) {
        guard let dual = ClosedDual(.erf(a: 1, b: b, c: 0)) else { return }
        let (i, j) = (pairs.i, pairs.j)
        let (q, scale, inverse) = unsafe (own.variances[i], own.scale.base[i], own.inverse.base[i])
        for k in 0..<min(pairs.count, x2.count - j) {
            let difference = unsafe scale - other.scale.base[j + k]
            let apart = unsafe (difference * inverse) * (difference * other.inverse.base[j + k])
            guard unsafe abs(z[k]) < apart / 10 else { continue }
            let gap = unsafe dual.gap(GaussianPair(q, other.variances[j + k], gap: Double(before[k]), knownDifference: nil))
            if let gap { unsafe z[k] = Element(gap) }
        }
    }

    /// K = Σ weight K_k with shares s_k² of the variance: 1 ∓ c = Σ s_k^i s_k^j (1 ∓ c_k) + ½ Σ (s_k^i − s_k^j)².
    func combine(
        _ own: [Storage<Element>], _ other: [Storage<Element>], _ weights: [Double], _ pairs: PairRun, _ inputs: [RowSlot<Element>],
        _ output: RowSlot<Element>
    ) {
        let (i, j) = (pairs.i, pairs.j)
        for k in 0..<pairs.count {
            var same: Element = 0
            var opposite: Element = 0
            var theta: Element = 0
            var total: Element = 0
            for index in unsafe inputs.indices {
                let input = unsafe inputs[index]
                let (s1, s2) = unsafe (own[index].base[i], other[index].base[j + k])
                let z = unsafe input.z[k]
                let near = abs(z)
                let far = 2 - near
                let difference = (s1 - s2) * (s1 - s2) / 2
                let isFar = z.sign == .minus
                same += s1 * s2 * (isFar ? far : near) + difference
                opposite += s1 * s2 * (isFar ? near : far) + difference
                total += s1 * s2
                if let own = unsafe input.theta { unsafe theta += Element(weights[index]) * own[k] }
            }
            // Without variance there is no correlation.
            let gap = total > 0 ? (same <= opposite ? same : -opposite) : 1
            unsafe output.z[k] = gap
            if let target = unsafe output.theta { unsafe target[k] = theta }
        }
    }

    /// c = Π c_k: gaps join as h + h' − h h'. Θ = Σ_k Θ_k Π_{j≠k} K_j.
    func product(
        _ own: [Storage<Element>], _ other: [Storage<Element>], _ pairs: PairRun, _ inputs: [RowSlot<Element>], _ output: RowSlot<Element>
    ) {
        let (i, j) = (pairs.i, pairs.j)
        for k in 0..<pairs.count {
            var gap: Element = 0
            var isNegative = false
            var covariance: Element = 1
            var theta: Element = 0
            for index in unsafe inputs.indices {
                let input = unsafe inputs[index]
                let z = unsafe input.z[k]
                let cosine = z.sign == .minus ? -(1 + z) : 1 - z
                let factor = unsafe own[index].base[i] * other[index].base[j + k] * cosine
                if let own = unsafe input.theta { unsafe theta = theta * factor + covariance * own[k] }
                covariance *= factor
                gap = gap + abs(z) * (1 - gap)
                if z.sign == .minus { isNegative.toggle() }
            }
            unsafe output.z[k] = isNegative ? -gap : gap
            if let target = unsafe output.theta { unsafe target[k] = theta }
        }
    }
}

/// Gap and Θ of a row at one place in the network.
@unsafe struct RowSlot<Element: KernelScalar> {
    var z: UnsafeMutablePointer<Element>
    var theta: UnsafeMutablePointer<Element>?

    func copy(_ other: RowSlot, _ count: Int) {
        unsafe z.update(from: other.z, count: count)
        if let theta = unsafe theta, let source = unsafe other.theta { unsafe theta.update(from: source, count: count) }
    }

    /// c ← keep · c.
    func scaleCosines(by keep: Element, _ count: Int) {
        for k in 0..<count {
            let gap = unsafe z[k]
            let shrunk = (1 - keep) + keep * abs(gap)
            unsafe z[k] = gap.sign == .minus ? -shrunk : shrunk
        }
    }
}

/// The buffers of one row beyond those of the tile.
struct RowScratch<Element: KernelScalar> {
    private let extra: Storage<Element>
    private let width: Int
    private let rows: Storage<Element>
    /// Gaps as they were before a step.
    var before: UnsafeMutablePointer<Element> { unsafe rows.base }
    /// The smallest gap that each pair has met.
    var smallest: UnsafeMutablePointer<Element> { unsafe rows.base + width }
    /// What `DualActivation` reads and writes, in float64.
    let gaps: Storage<Double>
    let covariance: Storage<Double>
    let derivative: Storage<Double>

    init(slots: Int, width: Int, needsDuals: Bool) {
        self.width = width
        extra = Storage(count: 2 * slots * width)
        rows = Storage(count: 2 * width)
        let duals = needsDuals ? width : 0
        gaps = Storage(count: duals)
        covariance = Storage(count: duals)
        derivative = Storage(count: duals)
    }

    /// The slot of this number; the first is in the tile.
    func slot(_ index: Int, first z: UnsafeMutablePointer<Element>, _ theta: UnsafeMutablePointer<Element>?) -> RowSlot<Element> {
        if index == 0 { return unsafe RowSlot(z: z, theta: theta) }
        let base = unsafe extra.base + 2 * (index - 1) * width
        return unsafe RowSlot(z: base, theta: theta == nil ? nil : base + width)
    }
}

extension Storage<Double> {
    /// Copies numbers of any precision.
    func update<Source: Scalar>(from source: UnsafePointer<Source>, _ count: Int) {
        for k in 0..<count { unsafe base[k] = Double(source[k]) }
    }

    func update<Source: Scalar>(from source: UnsafeMutablePointer<Source>, _ count: Int) {
        unsafe update(from: UnsafePointer(source), count)
    }
}
