import Glibc

/// Nodes and weights of Gauss–Legendre quadrature on [0, 1].
struct LegendreRule: Sendable {
    let nodes: [Double]
    let weights: [Double]

    /// By Newton's method from Chebyshev's nodes, in 64 bits.
    init(_ count: Int) {
        var (nodes, weights): ([Double], [Double]) = ([], [])
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
        (self.nodes, self.weights) = (nodes, weights)
    }
}
