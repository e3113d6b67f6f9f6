import Activations
import LinearAlgebra

/// φ(u) = a min(u, 0) + b max(u, 0) as its dual has it.
package struct AbRelu: Sendable {
    /// (a − b)² / (a² + b²), 1 for relu; 0 where φ is 0.
    package let asymmetry: Double
    /// (a² + b²) / 2: by so much φ multiplies a variance.
    package let power: Double
    /// Whether it is relu, up to a factor and a reflection: then no covariance is negative behind it.
    package let isRelu: Bool

    package init(_ a: Double, _ b: Double) {
        let squares = a * a + b * b
        asymmetry = squares > 0 ? (a - b).squared / squares : 0
        power = squares / 2
        isRelu = a * b == 0 && a + b != 0
    }
}

extension ActivationStep {
    /// Nil for every other activation.
    package var abRelu: AbRelu? { if case .abRelu(let a, let b) = activation { AbRelu(a, b) } else { nil } }
}
