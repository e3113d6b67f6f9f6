import Glibc

/// Nodes and weights of Gauss–Legendre quadrature on [0, 1].
struct GaussLegendre: Sendable {
    let nodes: [Double]
    let weights: [Double]

    /// Newton's method on the Legendre polynomial from Chebyshev's nodes.
    init(_ count: Int) {
        var nodes: [Double] = []
        var weights: [Double] = []
        for k in 0..<count {
            var x = cos(.pi * (Double(k) + 0.75) / (Double(count) + 0.5))
            var slope = 1.0
            for _ in 0..<100 {
                var (before, value) = (1.0, x)
                for n in 1..<max(count, 2) where n < count {
                    (before, value) = (value, (Double(2 * n + 1) * x * value - Double(n) * before) / Double(n + 1))
                }
                slope = Double(count) * (x * value - before) / (x * x - 1)
                let step = value / slope
                x -= step
                if abs(step) < 1e-15 { break }
            }
            nodes.append((1 - x) / 2)
            weights.append(1 / ((1 - x * x) * slope * slope))
        }
        self.nodes = nodes
        self.weights = weights
    }

    /// Nodes and weights on the pieces between neighbours of `borders`.
    func composite(_ borders: [Double]) -> [(node: Double, weight: Double)] {
        zip(borders, borders.dropFirst()).flatMap { a, b in
            zip(nodes, weights).map { (a + (b - a) * $0, (b - a) * $1) }
        }
    }
}
