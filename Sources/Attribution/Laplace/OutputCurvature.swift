internal import Glibc
package import LinearAlgebra

/// The second derivative Λ of the negative log likelihood by a network's outputs, block by block of points, as Λ = R Rᵀ.
///
/// Of a softmax Λᵢ = diag(p) − ppᵀ, which is singular, and Rᵢ = diag(√p)(I − √p√pᵀ), so that no inverse of it is taken; of a Gaussian
/// likelihood Λᵢ = I/σ².
package enum OutputCurvature: Sendable {
    /// Probabilities [n, k].
    case softmax(Matrix<Double>)
    /// n points of k outputs with noise of variance σ².
    case gaussian(points: Int, outputs: Int, noise: Double)

    package var outputs: Int {
        switch self {
        case .softmax(let probabilities): probabilities.columns
        case .gaussian(_, let outputs, _): outputs
        }
    }

    package var order: Int {
        switch self {
        case .softmax(let probabilities): probabilities.rows * probabilities.columns
        case .gaussian(let points, let outputs, _): points * outputs
        }
    }

    /// A R in place, for A [r, n · k]: (vR)_c = √p_c (v_c − Σ_b p_b v_b). O(r n k).
    package func multiplyColumns(_ matrix: Matrix<Double>, on executor: any TileExecutor) throws {
        precondition(matrix.columns == order)
        let (width, k) = (matrix.columns, outputs)
        let roots = roots
        let blocks = TileGrid(rows: matrix.rows, columns: 1, side: 64, upperOnly: false).tiles
        try executor.forEach(blocks.count) { index in
            for row in blocks[index].rows {
                let elements = unsafe matrix.base + row * width
                switch self {
                case .gaussian(_, _, let noise):
                    let scale = 1 / noise.squareRoot()
                    for column in 0..<width { unsafe elements[column] *= scale }
                case .softmax(let probabilities):
                    for first in stride(from: 0, to: width, by: k) {
                        let p = unsafe probabilities.base + first
                        var mean = 0.0
                        for output in 0..<k { unsafe mean += p[output] * elements[first + output] }
                        for output in 0..<k { unsafe elements[first + output] = roots[first + output] * (elements[first + output] - mean) }
                    }
                }
            }
        }
    }

    /// Rᵀ A in place, for A [n · k, c].
    package func multiplyRows(_ matrix: Matrix<Double>, on executor: any TileExecutor) throws {
        precondition(matrix.rows == order)
        let (width, k) = (matrix.columns, outputs)
        let roots = roots
        try executor.forEach(order / k) { point in
            let first = point * k
            switch self {
            case .gaussian(_, _, let noise):
                let scale = 1 / noise.squareRoot()
                for index in first * width..<(first + k) * width { unsafe matrix.base[index] *= scale }
            case .softmax(let probabilities):
                var means = [Double](repeating: 0, count: width)
                for output in 0..<k {
                    let row = unsafe matrix.base + (first + output) * width
                    let p = probabilities[point, output]
                    for column in 0..<width { unsafe means[column] += p * row[column] }
                }
                for output in 0..<k {
                    let row = unsafe matrix.base + (first + output) * width
                    let root = roots[first + output]
                    for column in 0..<width { unsafe row[column] = root * (row[column] - means[column]) }
                }
            }
        }
    }

    private var roots: [Double] { if case .softmax(let probabilities) = self { probabilities.elements.map { $0.squareRoot() } } else { [] } }

    /// softmax of each row of logits [n, k].
    package static func probabilities(_ logits: Matrix<Double>) -> Matrix<Double> {
        Matrix(
            rows: logits.rows, columns: logits.columns,
            (0..<logits.rows).flatMap { row in
                let values = logits.row(row)
                let largest = values.max() ?? 0
                let weights = values.map { exp($0 - largest) }
                let sum = weights.reduce(0, +)
                return weights.map { $0 / sum }
            })
    }

    /// Σ log p of each row's class.
    package static func logLikelihood(_ logits: Matrix<Double>, classes: [Int]) -> Double {
        classes.enumerated().reduce(0) { sum, point in
            let values = logits.row(point.offset)
            let largest = values.max() ?? 0
            return sum + values[point.element] - largest - log(values.reduce(0) { $0 + exp($1 - largest) })
        }
    }

    /// Σ log N(y; f, σ²).
    package static func logLikelihood(_ residuals: Matrix<Double>, noise: Double) -> Double {
        -(residuals.sumOfSquares / noise + Double(residuals.rows * residuals.columns) * log(2 * .pi * noise)) / 2
    }
}
