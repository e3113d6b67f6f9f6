internal import Glibc
package import LinearAlgebra

/// Probabilities of classes where logits are normally distributed.
package enum Predictive {
    /// softmax(f_c/√(1 + π/8 Σ_cc)) [t, k] (MacKay 1992, for several classes).
    package static func probit(_ mean: Matrix<Double>, covariances: Matrix<Double>) -> Matrix<Double> {
        let k = mean.columns
        let scaled = Matrix<Double>(uninitializedRows: mean.rows, columns: k)
        for row in 0..<mean.rows {
            for output in 0..<k {
                scaled.storage.set(row * k + output, mean[row, output] / (1 + .pi / 8 * covariances[row, output * (k + 1)]).squareRoot())
            }
        }
        return OutputCurvature.probabilities(scaled)
    }

    /// The mean of softmax over draws of logits [t, k]. A point's draws depend on the seed and its place alone.
    package static func sampled(
        _ mean: Matrix<Double>, covariances: Matrix<Double>, count: Int, seed: UInt64, on executor: any TileExecutor
    ) throws -> Matrix<Double> {
        let k = mean.columns
        let result = Matrix<Double>(zeroRows: mean.rows, columns: k)
        try executor.forEach(mean.rows) { row in
            let root = root(covariances.row(row), size: k)
            let center = mean.row(row)
            var normals = Normals(seed: seed, stream: UInt64(row))
            var sums = [Double](repeating: 0, count: k)
            for _ in 0..<count {
                let z = (0..<k).map { _ in normals.next() }
                let logits = (0..<k).map { output in (0...output).reduce(center[output]) { $0 + root[output * k + $1] * z[$1] } }
                let largest = logits.max() ?? 0
                let weights = logits.map { exp($0 - largest) }
                let total = weights.reduce(0, +)
                for output in 0..<k { sums[output] += weights[output] / total }
            }
            for output in 0..<k { result.storage.set(row * k + output, sums[output] / Double(count)) }
        }
        return result
    }

    /// L of a covariance [k, k] that may be singular: a pivot that is rounding beside its diagonal element has a column of zeros.
    static func root(_ covariance: [Double], size k: Int) -> [Double] {
        var lower = [Double](repeating: 0, count: k * k)
        for column in 0..<k {
            var pivot = covariance[column * (k + 1)]
            let floor = 16 * Double(k) * .ulpOfOne * pivot
            for other in 0..<column { pivot -= lower[column * k + other] * lower[column * k + other] }
            guard pivot > floor, pivot > 0 else { continue }
            let diagonal = pivot.squareRoot()
            lower[column * (k + 1)] = diagonal
            for row in column + 1..<max(k, column + 1) {
                var value = covariance[row * k + column]
                for other in 0..<column { value -= lower[row * k + other] * lower[column * k + other] }
                lower[row * k + column] = value / diagonal
            }
        }
        return lower
    }
}

/// Numbers from N(0, 1) by Box & Muller, one stream a point.
struct Normals {
    private var generator: SplitMix64
    private var spare: Double?

    init(seed: UInt64, stream: UInt64) {
        var mixer = seed &* 0x9E37_79B9_7F4A_7C15 &+ stream
        mixer = (mixer ^ (mixer >> 32)) &* 0xD6E8_FEB8_6659_FD93
        generator = SplitMix64(seed: mixer ^ (mixer >> 32))
    }

    mutating func next() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        // In (0, 1], so that the logarithm is finite.
        let first = generator.nextUnit() + 0x1p-53
        let angle = 2 * .pi * generator.nextUnit()
        let radius = (-2 * log(first)).squareRoot()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
