import Glibc

/// f(x) = φ(√q x) and φ'(√q x) at ±x_i with weights for E over x ~ N(0, 1): composite Gauss–Legendre, refined until a polynomial of
/// degree 15 is the function on every piece.
///
/// The pieces begin at zero and at kinks, and grow by factors of two from the scale of φ, so that a steep function at a large variance is
/// resolved too. At most `mostPieces` of them are tried, 64,000 values of φ.
package struct GaussianSamples {
    private(set) var nodes: [Double] = []
    /// Including the density.
    private(set) var weights: [Double] = []
    private(set) var plus: [Double] = []
    private(set) var minus: [Double] = []
    private(set) var plusSlope: [Double] = []
    private(set) var minusSlope: [Double] = []
    /// √E f² and √E φ'².
    private(set) var norm = 0.0
    private(set) var slopeNorm = 0.0
    /// What pieces that could not be resolved contribute, relative to E f² and E φ'²; infinite where there is no finite value.
    private(set) var error = 0.0
    /// Whether f grows as fast as the density falls.
    private(set) var growsTooFast = false

    private static let mostPieces = 2000
    private static let order = 16

    /// A piece of the positive half-line; its values are in `samples` from `first` on: f(x), f(−x), φ'(√q x), φ'(−√q x) of 16 nodes each.
    private struct Piece {
        var start, end: Double
        var depth: Int
        var first: Int
        /// Largest values and remainders beyond degree 15, of f and of φ'.
        var largest = (0.0, 0.0)
        var tail = (0.0, 0.0)
        /// e^{−x²/4} (2π)^{−1/4}, by whose square the density falls.
        var amplitude: Double
    }

    /// - Parameter width: the longest piece.
    package init(_ function: NumericalFunction, root: Double, width: Double) {
        let borders = Self.borders(function, root: root, width: width, reach: 13)
        var samples: [Double] = []
        samples.reserveCapacity(64 * (borders.count + 16))
        func sampled(_ start: Double, _ end: Double, depth: Int) -> Piece {
            Self.sample(function, root, start, end, depth, &samples)
        }
        var work = zip(borders, borders.dropFirst()).map { sampled($0, $1, depth: 0) }
        var scale = work.reduce((0, 0)) { (max($0.0, $1.largest.0 * $1.amplitude), max($0.1, $1.largest.1 * $1.amplitude)) }
        // A function that grows carries weight farther out.
        while let last = work.last, last.end < 37, last.largest.0 * last.amplitude > 1e-17 * scale.0 {
            let next = sampled(last.end, last.end + width, depth: 0)
            scale = (max(scale.0, next.largest.0 * next.amplitude), max(scale.1, next.largest.1 * next.amplitude))
            work.append(next)
        }
        if let last = work.last, !last.largest.0.isFinite || last.largest.0 * last.amplitude > 1e-9 * scale.0 {
            growsTooFast = true
            error = .infinity
            return
        }
        let size = (Self.norm(work, samples, scale.0, 0), Self.norm(work, samples, scale.1, 32))
        var accepted: [Piece] = []
        var count = work.count
        while let piece = work.popLast() {
            if Self.isResolved(piece, piece.largest.0, piece.tail.0, size.0) && Self.isResolved(piece, piece.largest.1, piece.tail.1, size.1) {
                accepted.append(piece)
            } else if piece.depth < 64 && count < Self.mostPieces && piece.largest.0.isFinite && piece.largest.1.isFinite {
                let middle = piece.start + (piece.end - piece.start) / 2
                work.append(sampled(middle, piece.end, depth: piece.depth + 1))
                work.append(sampled(piece.start, middle, depth: piece.depth + 1))
                count += 1
            } else {
                let value = piece.largest.0 / max(size.0, 1e-300) * piece.amplitude
                let slope = piece.largest.1 / max(size.1, 1e-300) * piece.amplitude
                error += (piece.end - piece.start) * (value * value + slope * slope)
                accepted.append(piece)
            }
        }
        collect(accepted, samples, scale)
        if !(norm.isFinite && slopeNorm.isFinite && error.isFinite) { error = .infinity }
    }

    private mutating func collect(_ pieces: [Piece], _ samples: [Double], _ scale: (Double, Double)) {
        let scale = (scale.0 > 0 ? scale.0 : 1, scale.1 > 0 ? scale.1 : 1)
        var sum = (0.0, 0.0)
        let count = pieces.count * Self.order
        nodes.reserveCapacity(count)
        weights.reserveCapacity(count)
        plus.reserveCapacity(count)
        minus.reserveCapacity(count)
        plusSlope.reserveCapacity(count)
        minusSlope.reserveCapacity(count)
        let rule = GaussLegendre.order16
        for piece in pieces {
            for k in 0..<Self.order {
                let x = piece.start + (piece.end - piece.start) * rule.nodes[k]
                let density = (piece.end - piece.start) * rule.weights[k] * Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
                let first = piece.first + k
                nodes.append(x)
                weights.append(density)
                plus.append(samples[first])
                minus.append(samples[first + 16])
                plusSlope.append(samples[first + 32])
                minusSlope.append(samples[first + 48])
                // Scaled, so that nothing overflows or vanishes.
                let (right, left) = (samples[first] / scale.0, samples[first + 16] / scale.0)
                let (rightSlope, leftSlope) = (samples[first + 32] / scale.1, samples[first + 48] / scale.1)
                sum.0 += density * (right * right + left * left)
                sum.1 += density * (rightSlope * rightSlope + leftSlope * leftSlope)
            }
        }
        norm = scale.0 * sum.0.squareRoot()
        slopeNorm = scale.1 * sum.1.squareRoot()
    }

    /// Zero, powers of two of the scale, kinks, and whole widths up to `reach`.
    package static func borders(_ function: NumericalFunction, root: Double, width: Double, reach: Double) -> [Double] {
        var borders = stride(from: 0, through: reach, by: width).map { $0 }
        if let last = borders.last, last < reach { borders.append(reach) }
        // From a place of 0 no doubling leads on.
        if root > 0, function.scale / root > 0 {
            var place = function.scale / root
            while place < width {
                borders.append(place)
                place *= 2
            }
            for kink in function.kinks where abs(kink) / root < reach { borders.append(abs(kink) / root) }
        }
        borders.sort()
        var distinct: [Double] = []
        for border in borders where distinct.last.map({ border > $0 }) ?? true { distinct.append(border) }
        return distinct
    }

    private static func sample(
        _ function: NumericalFunction, _ root: Double, _ start: Double, _ end: Double, _ depth: Int, _ samples: inout [Double]
    ) -> Piece {
        let first = samples.count
        samples.append(contentsOf: repeatElement(0, count: 64))
        var largest = (0.0, 0.0)
        for (k, node) in GaussLegendre.order16.nodes.enumerated() {
            let u = root * (start + (end - start) * node)
            let (right, left) = (function.activation.evaluate(u), function.activation.evaluate(-u))
            samples[first + k] = right.value
            samples[first + 16 + k] = left.value
            samples[first + 32 + k] = right.derivative
            samples[first + 48 + k] = left.derivative
            largest.0 = max(largest.0, abs(right.value), abs(left.value))
            largest.1 = max(largest.1, abs(right.derivative), abs(left.derivative))
            // `max` drops what is not a number.
            if !(right.value + left.value).isFinite { largest.0 = .infinity }
            if !(right.derivative + left.derivative).isFinite { largest.1 = .infinity }
        }
        func tail(_ array: Int) -> Double {
            max(GaussLegendre.tail(samples, first + 32 * array), GaussLegendre.tail(samples, first + 32 * array + 16))
        }
        return Piece(
            start: start, end: end, depth: depth, first: first, largest: largest, tail: (tail(0), tail(1)),
            amplitude: Glibc.exp(-start * start / 4) * 0.6316)
    }

    /// √E of the squares of one pair of arrays, roughly.
    private static func norm(_ pieces: [Piece], _ samples: [Double], _ scale: Double, _ offset: Int) -> Double {
        guard scale > 0, scale.isFinite else { return 0 }
        var sum = 0.0
        for piece in pieces {
            for (k, weight) in GaussLegendre.order16.weights.enumerated() {
                let right = samples[piece.first + offset + k] / scale * piece.amplitude
                let left = samples[piece.first + offset + 16 + k] / scale * piece.amplitude
                sum += (piece.end - piece.start) * weight * (right * right + left * left)
            }
        }
        return scale * sum.squareRoot()
    }

    /// Whether a piece is the polynomial through its nodes, or too short to count.
    private static func isResolved(_ piece: Piece, _ largest: Double, _ tail: Double, _ norm: Double) -> Bool {
        guard norm > 0 else { return largest.isFinite }
        let length = piece.end - piece.start
        let left = tail / norm * piece.amplitude
        guard left.isFinite else { return false }
        return left * length.squareRoot() <= 1e-11 || left * (largest / norm * piece.amplitude) * length <= 1e-17
    }
}
