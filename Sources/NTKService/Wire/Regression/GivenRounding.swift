internal import LinearAlgebra
internal import NTK

/// How far the entries of given matrices may be off, by the precision that they came in.
enum GivenRounding {
    /// That of float32 where every number is one, else that of float64.
    static func entries(_ matrices: [Matrix<Double>]) -> Double {
        matrices.allSatisfy(isSingle) ? RegressionOptions.float32Rounding : RegressionOptions.float64Rounding
    }

    private static func isSingle(_ matrix: Matrix<Double>) -> Bool {
        matrix.withElements { elements in
            for index in elements.indices where Double(Float(elements[index])) != elements[index] { return false }
            return true
        }
    }
}
