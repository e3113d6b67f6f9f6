import Foundation
import LinearAlgebra
import NTK
import Testing

/// The C loops against plain Swift twins in Float80, over all angles down to 1e-12 from either pole.
struct DualActivationTests {
    struct Angle {
        /// To the nearer pole.
        var phi: Float80
        /// Whether that is pi.
        var isFar: Bool
    }

    static let angles: [Angle] = {
        let wide = (1...100).map { (k: Int) -> Float80 in Float80(k) * .pi / 201 }
        let narrow = (1...12).map { (k: Int) -> Float80 in Float80(pow(10.0, -Double(k))) }
        return [false, true].flatMap { isFar in (wide + narrow).map { Angle(phi: $0, isFar: isFar) } }
    }()

    /// Pairs with these angles as the loops hold them, padded to whole runs.
    static var gaps: [Double] {
        let padding = Array(repeating: 1.0, count: (16 - angles.count % 16) % 16)
        return angles.map { Double(2 * sin80($0.phi / 2) * sin80($0.phi / 2)) * ($0.isFar ? -1 : 1) } + padding
    }

    /// sin by the Taylor series after halving: enough for a test.
    static func sin80(_ x: Float80) -> Float80 {
        var term = x
        var sum = x
        var k: Float80 = 1
        while abs(term) > abs(sum) * 1e-22 {
            term *= -x * x / ((k + 1) * (k + 2))
            sum += term
            k += 2
        }
        return sum
    }

    static func cos80(_ x: Float80) -> Float80 { 1 - 2 * sin80(x / 2) * sin80(x / 2) }

    @Test(arguments: [(0.0, 1.0), (-1.0, 1.0), (0.2, 1.0), (1.0, 1.0), (-0.3, 1.1)])
    func abRelu(a: Double, b: Double) {
        var z = Self.gaps
        var theta = [Double](repeating: 1, count: z.count)
        let asymmetry = (a - b) * (a - b) / (a * a + b * b)
        let power = (a * a + b * b) / 2
        unsafe Double.abRelu(&z, &theta, z.count, asymmetry, power)
        for (index, angle) in Self.angles.enumerated() {
            let (phi, isFar) = (angle.phi, angle.isFar)
            let g = Self.sin80(phi) - phi * Self.cos80(phi)
            let near = 2 * Self.sin80(phi / 2) * Self.sin80(phi / 2)
            let (r, bend) = (Float80(asymmetry), Float80(asymmetry) * g / .pi)
            // 1 - c' and 1 + c', each as a sum without cancellation at its own pole.
            let gap = isFar ? 2 - r + (r - 1) * near - bend : near - bend
            let rest = isFar ? r + (1 - r) * near + bend : 2 - near + bend
            let slope = Float80(power) * (isFar ? 1 - r + r * phi / .pi : 1 - r * phi / .pi)
            // The angle of the result, which is what the next layer takes, to a few ulp of 1.
            #expect(abs(Self.angle(z[index]) - Self.angle(gap <= rest ? Double(gap) : -Double(rest))) < 1e-15, "angle \(phi), far: \(isFar)")
            #expect(abs(Float80(theta[index]) - slope) < 4e-16 * Float80(max(power, 1)), "slope at \(phi), far: \(isFar)")
        }
    }

    static func angle(_ gap: Double) -> Double {
        let nearer = 2 * asin((gap.magnitude / 2).squareRoot())
        return gap.sign == .minus ? .pi - nearer : nearer
    }
}
