internal import Glibc
package import LinearAlgebra

/// How good probabilities of classes are.
package struct CalibrationFigures: Sendable, Equatable {
    /// The part of points whose class is the most probable.
    package let accuracy: Double
    /// −mean log p of their classes; infinite where one has probability 0.
    package let logLoss: Double
    /// The mean of Σ_c (p_c − [c is the class])² (Brier 1950).
    package let brierScore: Double
    /// The mean distance of confidence and accuracy over bins of equal width, weighted by their points (Naeini, Cooper, Hauskrecht 2015).
    package let expectedCalibrationError: Double

    /// - Parameters:
    ///   - probabilities: [t, k].
    ///   - classes: of each point its class.
    package init(_ probabilities: Matrix<Double>, classes: [Int], bins count: Int = 10) {
        precondition(probabilities.rows == classes.count && !classes.isEmpty)
        var (hits, loss, brier) = (0.0, 0.0, 0.0)
        var bins = [(confidence: Double, hits: Double)](repeating: (0, 0), count: count)
        for (point, own) in classes.enumerated() {
            let row = probabilities.row(point)
            let guess = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
            let hit = guess == own ? 1.0 : 0
            let bin = max(0, min(Int((row[guess] * Double(count)).rounded(.up)) - 1, count - 1))
            bins[bin].confidence += row[guess]
            bins[bin].hits += hit
            hits += hit
            loss -= log(row[own])
            brier += row.enumerated().reduce(0) { $0 + ($1.element - ($1.offset == own ? 1 : 0)) * ($1.element - ($1.offset == own ? 1 : 0)) }
        }
        let n = Double(classes.count)
        (accuracy, logLoss, brierScore) = (hits / n, loss / n, brier / n)
        expectedCalibrationError = bins.reduce(0) { $0 + abs($1.confidence - $1.hits) } / n
    }
}
