internal import CDualActivations
import Glibc
internal import LinearAlgebra

/// φ(√q x) in normalized Hermite polynomials: a_l = E[φ(√q x) h_l(x)], s_l the same of φ', for x ~ N(0, 1), each divided by its norm.
///
/// Then c' = Σ a_l(q1) a_l(q2) c^l is the cosine of the outputs (Mehler), and what a truncated series leaves out of it is at most
/// √(rest1 rest2) |c|^(terms). Its gap is a sum of terms of one sign, each to its own relative accuracy:
///
///     1 − c' = ½ Σ (a_l(q1) − a_l(q2))² + Σ a_l(q1) a_l(q2) (1 − c^l)
package struct HermiteSeries: Sendable {
    /// Values, then slopes: `terms` of each, a multiple of 8.
    private let coefficients: Storage<Double>
    package let terms: Int
    /// ½ log of max(1 − Σ a_l², 1 − Σ s_l²).
    package let logRest: Double
    /// Whether what is left out is below rounding at any correlation.
    package let isComplete: Bool
    /// The largest of the last eighth of the coefficients that were worked out.
    package let end: Double

    /// Of a function that is constant, and so is its slope: of a point at zero.
    package init(constant: Double, slope: Double) {
        terms = Int(NTK_SERIES_RUN)
        coefficients = Storage(count: 2 * terms)
        for l in 0..<2 * terms { coefficients.set(l, 0) }
        coefficients.set(0, Double(signum: constant))
        coefficients.set(terms, Double(signum: slope))
        (logRest, isComplete, end) = (-37, true, 0)
    }

    package init(_ samples: GaussianSamples, terms: Int) {
        let used = samples.nodes.count
        let count = (used + 7) / 8 * 8
        let inverse = samples.norm > 0 ? 1 / samples.norm : 0
        let slopeInverse = samples.slopeNorm > 0 ? 1 / samples.slopeNorm : 0
        // Nodes, even and odd parts of values and of slopes, and two rows to work in.
        var arrays = [Double](repeating: 0, count: 7 * count)
        for k in 0..<used {
            let weight = samples.weights[k]
            let (right, left) = (weight * (samples.plus[k] * inverse), weight * (samples.minus[k] * inverse))
            let (rightSlope, leftSlope) = (weight * (samples.plusSlope[k] * slopeInverse), weight * (samples.minusSlope[k] * slopeInverse))
            arrays[k] = samples.nodes[k]
            arrays[count + k] = right + left
            arrays[2 * count + k] = right - left
            arrays[3 * count + k] = rightSlope + leftSlope
            arrays[4 * count + k] = rightSlope - leftSlope
        }
        var values = [Double](repeating: 0, count: 2 * terms)
        unsafe arrays.withUnsafeMutableBufferPointer { arrays in
            unsafe values.withUnsafeMutableBufferPointer { values in
                guard let x = arrays.baseAddress, let out = values.baseAddress else { return }
                unsafe ntk_hermite_transform(
                    out, out + terms, terms, x, x + count, x + 2 * count, x + 3 * count, x + 4 * count, x + 5 * count, count)
            }
        }
        var last = terms - 1
        while last > 0 && abs(values[last]) <= 1e-17 && abs(values[terms + last]) <= 1e-17 { last -= 1 }
        let kept = min(terms, (last + 8) / 8 * 8)
        self.terms = kept
        coefficients = Storage(count: 2 * kept)
        for l in 0..<kept {
            coefficients.set(l, values[l])
            coefficients.set(kept + l, values[terms + l])
        }
        var end = 0.0
        for l in (terms - max(terms / 8, 1))..<terms { end = max(end, abs(values[l]), abs(values[terms + l])) }
        self.end = end
        func rest(_ first: Int, _ norm: Double) -> Double {
            guard norm > 0 else { return 0 }
            var sum = 0.0
            for l in 0..<terms { sum += values[first + l] * values[first + l] }
            return max(1 - sum, end * end * Double(terms), 1e-15)
        }
        // The squares of what is left out are far below rounding where the last terms are small and have long been falling.
        isComplete = end < 1e-9
        logRest = kept < terms ? -37 : isComplete ? -20.5 : log(max(rest(0, samples.norm), rest(terms, samples.slopeNorm))) / 2
    }

    /// Whether the rest of both beyond the shorter one is below rounding at this gap.
    package static func suffices(_ a: HermiteSeries, _ b: HermiteSeries, near: Double) -> Bool {
        if a.isComplete && b.isComplete { return true }
        return a.logRest + b.logRest + Double(min(a.terms, b.terms)) * log1p(-near) < -37
    }

    /// The cosines of values and of slopes, and the gap of the former to the pole that is nearer before.
    package static func pair(_ a: HermiteSeries, _ b: HermiteSeries, near: Double, isFar: Bool) -> (cosine: Double, slope: Double, gap: Double) {
        let terms = min(a.terms, b.terms)
        let longer = a.terms > b.terms ? a : b
        let (first, second) = unsafe (a.coefficients.base, b.coefficients.base)
        var sums = (0.0, 0.0, 0.0, 0.0)
        unsafe withUnsafeMutablePointer(to: &sums) { sums in
            unsafe sums.withMemoryRebound(to: Double.self, capacity: 4) { out in
                unsafe ntk_hermite_pair(
                    out, first, first + a.terms, second, second + b.terms, terms, near, isFar ? 1 : 0, longer.coefficients.base + terms,
                    longer.terms - terms)
            }
        }
        return (sums.0, sums.1, isFar ? sums.2 - sums.3 : sums.2 + sums.3)
    }
}

extension Double {
    /// 1, −1 or 0.
    fileprivate init(signum value: Double) { self = value > 0 ? 1 : value < 0 ? -1 : 0 }
}
