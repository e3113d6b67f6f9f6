import Glibc

/// A function of elements as quadrature sees it: its values, where its slope jumps, and the scale on which it is smooth at zero.
package struct NumericalFunction: Sendable {
    package let activation: Activation
    /// Where the function or its slope jumps, but for 0, where every rule has a border anyway; increasing.
    package let kinks: [Double]
    /// On [0, scale] and [−scale, 0] the function is a polynomial of degree 15 to rounding.
    package let scale: Double
    /// Whether the function itself jumps somewhere.
    package let hasJumps: Bool

    package init(_ activation: Activation) {
        self.activation = activation
        let places = activation.kinks
        kinks = places.filter { $0 != 0 }
        hasJumps = places.contains { place in
            let step = max(abs(place), 1) * 1e-9
            let (left, right) = (activation.evaluate(place - step).value, activation.evaluate(place + step).value)
            return abs(right - left) > 1e-5 * max(abs(left), abs(right))
        }
        scale = Self.scale(activation)
    }

    /// Whether φ makes many waves within a few standard deviations.
    package func isQuick(_ root: Double) -> Bool { false }

    /// φ(0), where it has no value there the mean of both sides.
    package var atZero: (value: Double, slope: Double) {
        let there = activation.evaluate(0)
        if there.value.isFinite && there.derivative.isFinite { return (there.value, there.derivative) }
        let (left, right) = (activation.evaluate(-1e-300), activation.evaluate(1e-300))
        return ((left.value + right.value) / 2, (left.derivative + right.derivative) / 2)
    }

    /// The largest power of two up to 2¹⁰ that is smooth in this sense, not below 2⁻⁴⁴.
    private static func scale(_ activation: Activation) -> Double {
        func isSmooth(_ width: Double) -> Bool {
            [width, -width].allSatisfy { end in
                let samples = GaussLegendre.order16.nodes.map { activation.evaluate(end * $0) }
                return [samples.map(\.value), samples.map(\.derivative)].allSatisfy { values in
                    let largest = values.reduce(0) { max($0, abs($1)) }
                    return largest.isFinite && GaussLegendre.tail(values, 0) <= 1e-13 * largest
                }
            }
        }
        var exponent = -44
        // In steps that no feature is hidden from, then back.
        while exponent < 10, isSmooth(scalbn(1, exponent + 4)) { exponent += 4 }
        while exponent < 10, isSmooth(scalbn(1, exponent + 1)) { exponent += 1 }
        return scalbn(1, min(exponent, 10))
    }
}
