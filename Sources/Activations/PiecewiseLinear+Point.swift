import Glibc

extension PiecewiseLinear {
    /// What belongs to a point of variance q = a²: φ(a z) in the standard variable z.
    final class Point: Sendable {
        /// a = √q.
        let root: Double
        /// t_i / a, and s_i; none at a = 0.
        let kinks, jumps: [Double]
        /// φ(a z), and φ(−a z).
        let line, mirrored: StandardLine
        /// E φ and E φ'.
        let mean, meanSlope: Double
        /// √E φ² and √E φ'².
        let norm, slopeNorm: Double
        /// Whether all kinks are near zero and their jumps cancel, as those of a clipped line at a large variance: sums over pairs of kinks are
        /// then taken from the differences between these.
        let isNarrow: Bool
        /// Estimated error of κ and κ̇, relative to the point's own.
        let error: Double

        init(_ function: PiecewiseLinear, root a: Double) {
            root = a
            guard a > 0 else {
                (kinks, jumps, isNarrow, error) = ([], [], false, 1e-15)
                let zero = function.atZero
                line = StandardLine(knots: [0], values: [zero.value], slopes: [0, 0])
                mirrored = line
                (mean, meanSlope, norm, slopeNorm) = (zero.value, zero.slope, abs(zero.value), abs(zero.slope))
                return
            }
            kinks = function.kinks.map { $0 / a }
            jumps = function.jumps
            line = StandardLine(function, root: a)
            mirrored = line.mirrored
            let weights = line.segmentWeights()
            var (mean, slope, square, slopeSquare) = (0.0, 0.0, 0.0, 0.0)
            for (index, weight) in weights.enumerated() {
                let part = line.part(index)
                mean += weight.mean(part)
                square += weight.product(part, part)
                slope += weight.whole * (part.slope / a)
                slopeSquare += weight.whole * (part.slope / a) * (part.slope / a)
            }
            (self.mean, meanSlope, norm, slopeNorm) = (mean, slope, square.squareRoot(), slopeSquare.squareRoot())
            let sum = jumps.reduce(0, +)
            let farthest = kinks.reduce(0) { max($0, abs($1)) }
            isNarrow = !kinks.isEmpty && farthest < 1 && abs(sum) <= 1e-14 * jumps.reduce(0) { max($0, abs($1)) }
            // What pairs of kinks of opposite jumps leave of each other, against what the point is.
            let largest = zip(kinks, jumps).reduce(0) { $0 + abs($1.1) * Glibc.exp(-$1.0 * $1.0 / 4) } * a / norm * (isNarrow ? farthest : 1)
            // Products of two norms, and parts of them, are in the range of numbers.
            error = 1e-150...1e153 ~= norm && 1e-150...1e153 ~= a ? 1e-15 * max(1, 0.05 * largest * largest) : .infinity
        }
    }

    /// φ(a z) by its values at knots, of which 0 is one, and its slopes between.
    struct StandardLine: Sendable {
        /// Increasing.
        let knots, values: [Double]
        /// One more.
        let slopes: [Double]
        /// Moments of the density beyond the first and the last knot.
        let below, above: TailMoments

        init(knots: [Double], values: [Double], slopes: [Double], below: TailMoments? = nil, above: TailMoments? = nil) {
            (self.knots, self.values, self.slopes) = (knots, values, slopes)
            self.below = below ?? TailMoments(-knots[0])
            self.above = above ?? TailMoments(knots[knots.count - 1])
        }

        init(_ function: PiecewiseLinear, root: Double) {
            var knots = function.kinks.map { $0 / root }
            var (values, slopes) = (function.values, function.slopes)
            let place = function.kinks.firstIndex { $0 >= 0 } ?? knots.count
            if place == knots.count || knots[place] != 0 {
                knots.insert(0, at: place)
                values.insert(function.atZero.value, at: place)
                slopes.insert(slopes[place], at: place)
            }
            self.init(knots: knots, values: values, slopes: slopes.map { $0 * root })
        }

        var mirrored: StandardLine {
            StandardLine(
                knots: knots.reversed().map { -$0 }, values: values.reversed(), slopes: slopes.reversed().map { -$0 }, below: above, above: below)
        }

        /// Of the segment before knot `index`, or behind the last.
        func part(_ index: Int) -> LinePart {
            if index == 0 { return LinePart(start: values[0], end: values[0], slope: slopes[0]) }
            if index == knots.count { return LinePart(start: values[index - 1], end: values[index - 1], slope: slopes[index]) }
            return LinePart(start: values[index - 1], end: values[index], slope: slopes[index])
        }

        func segmentWeights() -> [SegmentWeights] {
            [SegmentWeights(below, isBelow: true)] + zip(knots, knots.dropFirst()).map { SegmentWeights($0, $1) }
                + [SegmentWeights(above, isBelow: false)]
        }
    }

    /// A line on a segment: its values at both ends, of an infinite one both at its only end, and its slope.
    struct LinePart {
        var start, end, slope: Double
    }

    /// ∫ sⁿ p(x + s) ds over s > 0 for n = 0, 1, 2 and x ≥ 0, with the standard density p, each to its own relative accuracy.
    struct TailMoments: Sendable {
        let moments: (Double, Double, Double)

        init(_ x: Double) {
            let first = Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            // Near zero the formulas lose nothing.
            guard x >= 1 else {
                let whole = erfc(x / 2.0.squareRoot()) / 2
                moments = (whole, first - x * whole, (1 + x * x) * whole - x * first)
                return
            }
            var sums = (0.0, 0.0, 0.0)
            // e^{−x s − s²/2} falls on this scale.
            let scale = 1 / max(1, x / 3)
            for (node, weight) in Self.rule {
                let s = scale * node
                let density = scale * weight * Glibc.exp(-s * (x + s / 2))
                sums.0 += density
                sums.1 += density * s
                sums.2 += density * s * s
            }
            moments = (first * sums.0, first * sums.1, first * sums.2)
        }

        private static let rule = GaussLegendre.order16.composite([0, 1, 2.5, 4.5, 7, 10, 13])
    }

    /// Integrals of products of lines over a segment of the line under the standard density.
    struct SegmentWeights {
        /// ∫ p.
        var whole = 0.0
        /// ∫ (1 − y) p, ∫ y p and the integrals of (1 − y)² p, y (1 − y) p and y² p, with y from 0 to 1 along the segment; of infinite ones ∫ s p and
        /// ∫ s² p in place of the second and the last.
        private var first = 0.0, second = 0.0
        private var squares = (0.0, 0.0, 0.0)
        private let side: Double

        init(_ tail: TailMoments, isBelow: Bool) {
            (whole, second, squares.2) = tail.moments
            side = isBelow ? -1 : 1
        }

        init(_ start: Double, _ end: Double) {
            side = 0
            let width = end - start
            // Beyond there is no density.
            let (low, high) = (max(start, -39), min(end, 39))
            guard low < high else { return }
            let length = high - low
            let rule = length < 0.05 ? GaussLegendre.order4 : GaussLegendre.order16
            let pieces = (length / 3).rounded(.up)
            for piece in 0..<Int(pieces) {
                for k in rule.nodes.indices {
                    let x = low + length * ((Double(piece) + rule.nodes[k]) / pieces)
                    let (y, z) = ((x - start) / width, (end - x) / width)
                    let density = length * rule.weights[k] / pieces * Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
                    whole += density
                    first += density * z
                    second += density * y
                    squares.0 += density * z * z
                    squares.1 += density * y * z
                    squares.2 += density * y * y
                }
            }
        }

        func mean(_ f: LinePart) -> Double {
            side == 0 ? first * f.start + second * f.end : whole * f.start + side * second * f.slope
        }

        func product(_ f: LinePart, _ g: LinePart) -> Double {
            guard side == 0 else {
                return whole * (f.start * g.start) + side * second * (f.start * g.slope + f.slope * g.start) + squares.2 * (f.slope * g.slope)
            }
            return squares.0 * (f.start * g.start) + squares.1 * (f.start * g.end + f.end * g.start) + squares.2 * (f.end * g.end)
        }
    }
}
