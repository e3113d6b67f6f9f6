internal import LinearAlgebra

/// Leave-one-out residuals y_i − f_{−i}(x_i) in closed form: α_i / [(K + λI)⁻¹]_ii (Rasmussen & Williams 2006, eq. 5.12).
///
/// Of merged points the n × n inverse is not formed: with g the group of i, w its multiplicity, G = (B + λI)⁻¹, β = G W^½ȳ and d = y − Sȳ,
/// α_i = β_g/√w + d_i/λ and the inverse's diagonal is G_gg/w + (1 − 1/w)/λ; both times λ. As λ goes to 0, and where modes are zero,
/// (P₀y)_i / (P₀)_ii with the projection P₀ on what no function of the kernel reaches, and where that is nothing, α_i/K⁺_ii.
enum LeaveOneOut {
    /// Below this, (P₀)_ii is zero to working precision.
    private static let nothing = 1e-8

    static func residuals(
        groups: DuplicateGroups, deviations: Matrix<Double>, coefficients: Matrix<Double>, inverseDiagonal: [Double], ridge: Double,
        nullSpace: (diagonal: [Double], component: Matrix<Double>)?
    ) -> Matrix<Double> {
        let (n, k) = (deviations.rows, deviations.columns)
        var elements = [Double](repeating: 0, count: n * k)
        let roots = groups.roots
        for (point, group) in groups.group.enumerated() {
            let (w, root) = (groups.multiplicities[group], roots[group])
            // What of the point's own equation is met by eigenvalues that are 0.
            let free = (nullSpace?.diagonal[group] ?? 0) / w + (1 - 1 / w)
            for output in 0..<k {
                let beta = coefficients[group, output]
                elements[point * k + output] =
                    if nullSpace != nil || ridge == 0 {
                        if free > nothing {
                            ((nullSpace?.component[group, output] ?? 0) / root + deviations[point, output]) / free
                        } else {
                            beta * root / inverseDiagonal[group]
                        }
                    } else if w == 1 {
                        beta / inverseDiagonal[group]
                    } else {
                        (ridge * beta / root + deviations[point, output]) / (ridge * inverseDiagonal[group] / w + free)
                    }
            }
        }
        return Matrix(rows: n, columns: k, elements)
    }
}
