internal import Glibc
package import LinearAlgebra
internal import NTK

extension RegressionAttribution {
    /// log p of each point's own class [n] by the leave-one-out scores of a regression on codes, calibrated together (`ClassCalibration`): the
    /// least are most likely mislabelled.
    /// - Parameters:
    ///   - codes: [n, k], the targets with f₀.
    ///   - classes: of each point its class.
    package func logLabelProbabilities(codes: Matrix<Double>, classes: [Int]) -> [Double] {
        let scores = codes.subtracting(selfInfluence)
        let beta = ClassCalibration(scores: scores, classes: classes).inverseTemperature
        return classes.enumerated().map { point, own in
            let row = scores.row(point)
            let largest = row.max() ?? 0
            return beta * (row[own] - largest) - log(row.reduce(0) { $0 + exp(beta * ($1 - largest)) })
        }
    }
}
