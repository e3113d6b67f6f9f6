internal import Glibc
package import LinearAlgebra

/// What a kernel matrix is at one moment of training.
package struct KernelState: Sendable {
    /// tr K = Σ λ.
    package let trace: Double
    package let largestEigenvalue: Double
    /// −Σ p log p of p = λ/Σλ; nil where the kernel is 0.
    package let entropy: Double?
    /// ‖K‖ (Frobenius).
    package let norm: Double

    /// exp of the entropy: between 1 and the number of modes (Roy & Vetterli 2007).
    package var effectiveRank: Double? { entropy.map { exp($0) } }

    /// - Parameter kernel: K [m, m], symmetric, finite.
    /// - Throws: `NoConvergence`; what the executor throws.
    /// - Time: 4m³/3, by one thread. Memory: one more matrix.
    package init(_ kernel: Matrix<Double>, on executor: any TileExecutor) throws {
        try executor.forEach(0) { _ in }
        let values = try Tridiagonal(inPlace: kernel.copy()).eigenvalues().map { max($0, 0) }
        trace = kernel.diagonal.reduce(0, +)
        largestEigenvalue = values.max() ?? 0
        norm = kernel.sumOfSquares.squareRoot()
        let total = values.reduce(0, +)
        entropy = total > 0 ? -values.reduce(0) { $1 > 0 ? $0 + $1 / total * log($1 / total) : $0 } : nil
    }

    /// 1 − ⟨K, K'⟩/(‖K‖‖K'‖): 0 for kernels that are multiples of each other (Fort et al. 2020, arXiv 2010.15110); nil where one is 0.
    package static func distance(_ left: Matrix<Double>, _ right: Matrix<Double>) -> Double? {
        precondition(left.rows == right.rows && left.columns == right.columns)
        let (a, b) = (left.sumOfSquares.squareRoot(), right.sumOfSquares.squareRoot())
        guard a > 0, b > 0 else { return nil }
        // ½‖K/‖K‖ − K'/‖K'‖‖², which keeps its digits where they are all but equal.
        var sum = 0.0
        for index in 0..<left.rows * left.columns {
            let difference = unsafe left.base[index] / a - right.base[index] / b
            sum += difference * difference
        }
        return sum / 2
    }

    /// ⟨K, YYᵀ⟩/(‖K‖‖YYᵀ‖) for targets Y [m, c] (Cristianini et al. 2001); nil where one is 0.
    package func alignment(_ kernel: Matrix<Double>, _ targets: Matrix<Double>, on executor: any TileExecutor) throws -> Double? {
        let image = try kernel.multiply(targets, on: executor)
        var product = 0.0
        for index in 0..<image.rows * image.columns { unsafe product += image.base[index] * targets.base[index] }
        let gram = try targets.transposedMultiply(targets, on: executor).sumOfSquares.squareRoot()
        guard norm > 0, gram > 0 else { return nil }
        return product / norm / gram
    }
}
