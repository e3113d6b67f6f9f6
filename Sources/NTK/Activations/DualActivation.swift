import Foundation

/// E[φ(u)φ(v)] and E[φ'(u)φ'(v)] for jointly Gaussian u, v.
package struct DualActivation: Sendable {
    package struct Points: Sendable {
        package var variances, kappa, kappaDot: [Double]
    }
    private let activation: Activation
    package init(_ activation: Activation) throws(ArchitectureError) { self.activation = activation }

    package func points(_ variances: UnsafeBufferPointer<Double>) -> Points {
        var points = unsafe Points(variances: Array(variances), kappa: [], kappaDot: [])
        for q in points.variances {
            let (k, d) = pair(q, q, q)
            points.kappa.append(k)
            points.kappaDot.append(d)
        }
        return points
    }

    private func pair(_ q1: Double, _ q2: Double, _ q: Double) -> (Double, Double) {
        switch activation {
        case .abRelu(let a, let b):
            let p = q1 * q2
            let s = max(p - q * q, 0).squareRoot()
            let theta = p == 0 ? .pi / 2 : atan2(s, q)
            let dot = (a * a + b * b) / 2 - (a - b).squared * theta / (2 * .pi)
            return ((a - b).squared / (2 * .pi) * s + dot * q, dot)
        case .erf(let a, let b, let c):
            let (x, y, z) = (b * b * q1, b * b * q2, b * b * q)
            let r = ((1 + 2 * x) * (1 + 2 * y) - 4 * z * z).squareRoot()
            return (a * a * (2 / .pi) * atan2(2 * z, r) + c * c, a * a * b * b * (4 / .pi) / r)
        }
    }

    package func pairs(
        _ own: Points, _ i: Int, ownStride: Int, _ others: Points, _ j: Int, count: Int, gaps: UnsafePointer<Double>,
        covariance: UnsafeMutablePointer<Double>, derivative: UnsafeMutablePointer<Double>?
    ) {
        for k in 0..<count {
            let (q1, q2) = (own.variances[i + k * ownStride], others.variances[j + k])
            let z = unsafe gaps[k]
            let c = z.sign == .minus ? -(1 + z) : 1 - z
            let (value, dot) = pair(q1, q2, c * (q1 * q2).squareRoot())
            unsafe covariance[k] = value
            unsafe derivative?[k] = dot
        }
    }
}
