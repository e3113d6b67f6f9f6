internal import Glibc
package import LinearAlgebra

/// Numbers that a classifier's logits and a label make, and their derivatives by the logits.
package enum LabelNumber {
    /// ∂ log(p_y/(1 − p_y))/∂z = e_y − q [n, k], q the softmax over the other classes: log odds are z_y − log Σ_{c≠y} exp z_c.
    package static func logOddsDerivatives(_ logits: Matrix<Double>, classes: [Int]) -> Matrix<Double> {
        let k = logits.columns
        let result = Matrix<Double>(zeroRows: logits.rows, columns: k)
        for (point, own) in classes.enumerated() {
            let others = (0..<k).filter { $0 != own }
            let largest = others.map { logits[point, $0] }.max() ?? 0
            let sum = others.reduce(0) { $0 + exp(logits[point, $1] - largest) }
            for output in others { result.storage.set(point * k + output, -exp(logits[point, output] - largest) / sum) }
            result.storage.set(point * k + own, 1)
        }
        return result
    }

    /// ∂(−log p_y)/∂z = p − e_y [n, k].
    package static func lossDerivatives(_ probabilities: Matrix<Double>, classes: [Int]) -> Matrix<Double> {
        let result = probabilities.copy()
        for (point, own) in classes.enumerated() {
            // 1 − p_y as the sum of the others, which keeps its digits.
            let rest = (0..<probabilities.columns).reduce(0) { $1 == own ? $0 : $0 + probabilities[point, $1] }
            result.storage.set(point * probabilities.columns + own, -rest)
        }
        return result
    }

    /// 1 − p_y [n].
    package static func doubts(_ probabilities: Matrix<Double>, classes: [Int]) -> [Double] {
        classes.enumerated().map { point, own in (0..<probabilities.columns).reduce(0) { $1 == own ? $0 : $0 + probabilities[point, $1] } }
    }
}
