import Architecture
import LinearAlgebra

extension Matrix where Element == Double {
    /// Points of kernels that do not depend on their lengths, each in a unit of its own: a power of two, so that nothing is rounded. Powers of
    /// variances on the way then stay within the range of numbers.
    func inUnits(_ homogeneity: Homogeneity?) -> Matrix {
        guard let homogeneity, homogeneity.degree == 0 else { return self }
        // So far from 1 that the square of the largest power, with what the weights add, may be out of range.
        let most = 256 / homogeneity.largest
        let exponents = (0..<rows).map { row in
            let largest = unsafe Self.largest(UnsafeBufferPointer(start: base + row * columns, count: columns))
            return largest > 0 && largest.isFinite && abs(Int(largest.exponent)) > most ? Int(largest.exponent) : 0
        }
        guard exponents.contains(where: { $0 != 0 }) else { return self }
        let scaled = copy()
        for (row, exponent) in exponents.enumerated() where exponent != 0 {
            for k in row * columns..<(row + 1) * columns { unsafe scaled.base[k] = scaled.base[k].scaled(by: -exponent) }
        }
        return scaled
    }

    /// The largest magnitude, without those that are masked.
    private static func largest(_ numbers: UnsafeBufferPointer<Double>) -> Double {
        var lanes = SIMD8<Double>(repeating: 0)
        var index = 0
        while index + 8 <= numbers.count {
            let part = unsafe UnsafeRawPointer(numbers.baseAddress.unsafelyUnwrapped + index).loadUnaligned(as: SIMD8<Double>.self)
            lanes.replace(with: part, where: part .> lanes)
            lanes.replace(with: -part, where: -part .> lanes)
            index += 8
        }
        var largest = (0..<8).reduce(0) { max($0, lanes[$1]) }
        for k in index..<numbers.count where unsafe abs(numbers[k]) > largest { largest = unsafe abs(numbers[k]) }
        return largest
    }
}
