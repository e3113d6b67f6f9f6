import Glibc

/// Nodes and weights of Gauss–Legendre quadrature on [0, 1].
package struct GaussLegendre: Sendable {
    package let nodes: [Double]
    package let weights: [Double]

    package static let order16 = GaussLegendre(16)
    package static let order12 = GaussLegendre(12)
    package static let order4 = GaussLegendre(4)

    /// Newton's method on the Legendre polynomial from Chebyshev's nodes, in 64 bits: with 53 the outer weights keep 13 digits.
    package init(_ count: Int) {
        var nodes: [Double] = []
        var weights: [Double] = []
        for k in 0..<count {
            var x = Float80(cos(.pi * (Double(k) + 0.75) / (Double(count) + 0.5)))
            var slope: Float80 = 1
            for _ in 0..<100 {
                var (before, value): (Float80, Float80) = (1, x)
                for n in 1..<max(count, 2) where n < count {
                    (before, value) = (value, (Float80(2 * n + 1) * x * value - Float80(n) * before) / Float80(n + 1))
                }
                slope = Float80(count) * (x * value - before) / (x * x - 1)
                let step = value / slope
                x -= step
                if abs(step) < 1e-18 { break }
            }
            nodes.append(Double((1 - x) / 2))
            weights.append(Double(1 / ((1 - x * x) * slope * slope)))
        }
        self.nodes = nodes
        self.weights = weights
    }

    /// Nodes and weights on the pieces between neighbours of `borders`.
    package func composite(_ borders: [Double]) -> [(node: Double, weight: Double)] {
        zip(borders, borders.dropFirst()).flatMap { a, b in
            zip(nodes, weights).map { (a + (b - a) * $0, (b - a) * $1) }
        }
    }

    /// The largest of the last three Legendre coefficients of a function given at the 16 nodes, in 16 numbers from `first` on: what a
    /// polynomial of degree 12 leaves.
    package static func tail(_ values: [Double], _ first: Int) -> Double {
        var sums = (0.0, 0.0, 0.0)
        for k in 0..<16 {
            let value = values[first + k]
            sums.0 += lastPolynomials[k] * value
            sums.1 += lastPolynomials[16 + k] * value
            sums.2 += lastPolynomials[32 + k] * value
        }
        return max(abs(sums.0), abs(sums.1), abs(sums.2))
    }

    /// (2k + 1) w_i P_k(2 x_i − 1) for k = 13, 14, 15.
    private static let lastPolynomials: [Double] = (13...15).flatMap { degree in
        zip(order16.nodes, order16.weights).map { node, weight in
            let x = 2 * node - 1
            var (before, value) = (1.0, x)
            for n in 1..<degree { (before, value) = (value, (Double(2 * n + 1) * x * value - Double(n) * before) / Double(n + 1)) }
            return Double(2 * degree + 1) * weight * value
        }
    }
}
