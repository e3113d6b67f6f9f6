internal import Glibc
public import LinearAlgebra

/// Probabilities of classes from the scores of a regression on one-hot codes: softmax(β s), with the inverse temperature β for which the
/// leave-one-out scores of the training points have the least log loss (temperature scaling, Guo et al. 2017, arXiv 1706.04599, without a
/// held-out set).
public struct ClassCalibration: Sendable {
    /// β ≥ 0.
    public let inverseTemperature: Double
    /// The part of the training points whose class has the highest leave-one-out score.
    public let accuracy: Double
    /// −mean log p of their classes.
    public let logLoss: Double
    /// The mean distance of confidence and accuracy over ten bins of confidence, weighted by their points.
    public let expectedCalibrationError: Double

    /// One that was found before.
    public init(inverseTemperature: Double, accuracy: Double, logLoss: Double, expectedCalibrationError: Double) {
        self.inverseTemperature = inverseTemperature
        self.accuracy = accuracy
        self.logLoss = logLoss
        self.expectedCalibrationError = expectedCalibrationError
    }

    /// - Parameters:
    ///   - scores: leave-one-out scores [n, k], k ≥ 1.
    ///   - classes: of each point the index of its class.
    public init(scores: Matrix<Double>, classes: [Int]) {
        precondition(scores.rows == classes.count && scores.columns > 0)
        let beta = Self.best(scores, classes)
        inverseTemperature = beta
        var (hits, loss) = (0, 0.0)
        var bins = [(count: Int, confidence: Double, hits: Int)](repeating: (0, 0, 0), count: 10)
        for (point, own) in classes.enumerated() {
            let row = scores.row(point)
            let probabilities = Self.softmax(row, beta)
            let guess = Self.firstLargest(row)
            let bin = min(Int(probabilities[guess] * 10), 9)
            bins[bin].count += 1
            bins[bin].confidence += probabilities[guess]
            if guess == own {
                hits += 1
                bins[bin].hits += 1
            }
            loss += Self.logSumExp(row, beta) - beta * row[own]
        }
        let n = Double(classes.count)
        accuracy = Double(hits) / n
        logLoss = loss / n
        expectedCalibrationError = bins.reduce(0) { $0 + abs($1.confidence - Double($1.hits)) } / n
    }

    /// Probabilities [t, k] of scores [t, k].
    public func probabilities(_ scores: Matrix<Double>) -> Matrix<Double> {
        Matrix(rows: scores.rows, columns: scores.columns, (0..<scores.rows).flatMap { Self.softmax(scores.row($0), inverseTemperature) })
    }

    /// The index of the largest; of equal ones the first.
    public static func firstLargest(_ scores: [Double]) -> Int {
        var best = 0
        for index in scores.indices where scores[index] > scores[best] { best = index }
        return best
    }

    /// The zero of the loss's derivative, which rises with β. A share of 1/(n + 1) of every point is given to all classes alike, so that
    /// it is not at infinity where all are told apart.
    private static func best(_ scores: Matrix<Double>, _ classes: [Int]) -> Double {
        let (n, k) = (classes.count, scores.columns)
        guard k > 1 else { return 1 }
        let smoothing = 1 / Double(n + 1)
        let rows = (0..<n).map { scores.row($0) }
        func slope(_ beta: Double) -> Double {
            var sum = 0.0
            for (row, own) in zip(rows, classes) {
                let probabilities = softmax(row, beta)
                let mean = zip(probabilities, row).reduce(0) { $0 + $1.0 * $1.1 }
                sum += mean - (1 - smoothing) * row[own] - smoothing * row.reduce(0, +) / Double(k)
            }
            return sum
        }
        guard slope(0) < 0 else { return 0 }
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 where slope(high) < 0 { (low, high) = (high, high * 2) }
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if middle <= low || middle >= high { break }
            if slope(middle) < 0 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    private static func softmax(_ scores: [Double], _ beta: Double) -> [Double] {
        let largest = scores.max() ?? 0
        let weights = scores.map { exp(beta * ($0 - largest)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    private static func logSumExp(_ scores: [Double], _ beta: Double) -> Double {
        let largest = scores.max() ?? 0
        return beta * largest + log(scores.reduce(0) { $0 + exp(beta * ($1 - largest)) })
    }
}
