internal import LinearAlgebra

/// Leave-one-out residuals y_i − f_{−i}(x_i) in closed form: α_i / [(K + λI)⁻¹]_ii (Rasmussen & Williams 2006, eq. 5.12).
///
/// Of merged points the n × n inverse is not formed: with g the group of i, w its multiplicity, G = (B + λI)⁻¹, β = G W^½ȳ and d = y − Sȳ,
/// α_i = β_g/√w + d_i/λ and the inverse's diagonal is G_gg/w + (1 − 1/w)/λ; both times λ. As λ goes to 0, and where modes are zero,
/// (P₀y)_i / (P₀)_ii with the projection P₀ on what no function of the kernel reaches, and where that is nothing, α_i/K⁺_ii.
struct LeaveOneOut {
    let groups: DuplicateGroups
    /// y − S ȳ [n, k].
    let deviations: Matrix<Double>
    /// The scaling D of the system that was solved, and λ D².
    let scaling: UnitScaling
    let shifts: [Double]

    /// Below this, (P₀)_ii is zero to working precision.
    private static let nothing = 1e-8

    /// - Parameters:
    ///   - coefficients: D⁻¹ β [m, k], in units 2^s of its columns.
    ///   - units: s.
    ///   - inverseDiagonal: of D⁻¹ G D⁻¹.
    ///   - nullSpace: the diagonal of P₀, and P₀ D W^½ȳ in the units of the columns, where D is the same for all.
    func residuals(
        _ coefficients: Matrix<Double>, units: [Int], inverseDiagonal: [Double], nullSpace: (diagonal: [Double], component: Matrix<Double>)?
    ) -> Matrix<Double> {
        let (n, k) = (deviations.rows, deviations.columns)
        var elements = [Double](repeating: 0, count: n * k)
        let roots = groups.roots
        let hasRidge = shifts.contains { $0 > 0 }
        for (point, group) in groups.group.enumerated() {
            let (w, root, exponent) = (groups.multiplicities[group], roots[group], scaling.exponents[group])
            let (inverse, shift) = (inverseDiagonal[group], shifts[group])
            // What of the point's own equation is met by eigenvalues that are 0.
            let free = (nullSpace?.diagonal[group] ?? 0) / w + (1 - 1 / w)
            for output in 0..<k {
                let beta = coefficients[group, output]
                func unscaled(_ value: Double) -> Double { value.scaled(by: exponent + units[output]) }
                elements[point * k + output] =
                    if nullSpace != nil || !hasRidge {
                        if free > Self.nothing {
                            (unscaled((nullSpace?.component[group, output] ?? 0) / root) + deviations[point, output]) / free
                        } else {
                            unscaled(beta * root / inverse)
                        }
                    } else if w == 1 {
                        unscaled(beta / inverse)
                    } else {
                        (unscaled(shift * beta / root) + deviations[point, output]) / (shift * inverse / w + free)
                    }
            }
        }
        return Matrix(rows: n, columns: k, elements)
    }
}
