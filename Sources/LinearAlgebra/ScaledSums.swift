/// Sums that overflow or underflow only where their result does.
///
/// All numbers are divided by the power of two below the largest, which is exact but for what is too small to count.
package enum ScaledSums {
    /// The root of the sum of squares.
    package static func norm(_ values: [Double]) -> Double {
        let scale = scale(of: values)
        return values.reduce(0) { $0 + ($1 / scale) * ($1 / scale) }.squareRoot() * scale
    }

    /// Of no values: 0.
    package static func mean(_ values: [Double]) -> Double {
        let scale = scale(of: values)
        return values.reduce(0) { $0 + $1 / scale } / Double(max(values.count, 1)) * scale
    }

    /// 1 where nothing is to be scaled.
    private static func scale(of values: [Double]) -> Double {
        let largest = values.reduce(0) { max($0, abs($1)) }
        return largest > 0 && largest.isFinite ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
    }
}
