package import LinearAlgebra
internal import NTK

/// What a set of points does to the fit.
package struct Removal: Sendable {
    /// Rows of the map that take part.
    let rows: [Int]
    /// What they are multiplied by [c, k].
    let steps: Matrix<Double>
}

extension RegressionAttribution {
    /// The removal of any set of points at once, exactly: f(x*) − f₋B(x*) = V_*C z.
    ///
    /// Of the distinct rows C that lose points, those that lose all have z = M_CC⁻¹ α_C. One that keeps w' of w points has noise λ/w' instead of
    /// λ/w, a change Δ = λ(1/w' − 1/w), and a mean target that moves by δ; then (Δ⁻¹ + M)z = α − Δ⁻¹δ (Woodbury). Solved as the symmetric
    /// (E + √Δ M √Δ)u = √Δ α − δ/√Δ, z = √Δ u, in which E is 0 and Δ is 1 for rows that lose all.
    /// - Parameter points: indices, each once.
    /// - Throws: `RegressionError.singular` where K + λI is singular.
    /// - Time: c m² + c³/3. Memory: c m + c².
    package func removal(of points: [Int], on executor: any TileExecutor) throws -> Removal {
        guard !regression.isSingular else { throw Self.singular(regression) }
        let (groups, k, lambda) = (regression.groups, deviations.columns, ridge)
        var lost: [Int: [Int]] = [:]
        for point in points { for row in point * rowsPerPoint..<(point + 1) * rowsPerPoint { lost[groups.group[row], default: []].append(row) } }
        let rows = lost.keys.sorted()
        guard !rows.isEmpty else { return Removal(rows: [], steps: Matrix(zeroRows: 0, columns: k)) }
        let coefficients = regression.coefficients
        let moved = Matrix<Double>(zeroRows: rows.count, columns: k)
        var (scales, isWhole) = ([Double](), [Bool]())
        for (place, row) in rows.enumerated() {
            let (w, own) = (groups.multiplicities[row], lost[row] ?? [])
            let rest = w - Double(own.count)
            isWhole.append(rest <= 0)
            scales.append(rest <= 0 ? 1 : (lambda * Double(own.count) / (w * rest)).squareRoot())
            guard rest > 0 else { continue }
            for output in 0..<k { moved.storage.set(place * k + output, -own.reduce(0) { $0 + deviations[$1, output] } / rest) }
        }
        let root = try regression.inverseRoot(of: rows, on: executor)
        let inverse = try root.multiplyTransposed(root, on: executor)
        // Without a ridge a row that keeps points only has another mean: z = −δ.
        let active = rows.indices.filter { scales[$0] > 0 }
        let steps = Matrix<Double>(zeroRows: rows.count, columns: k)
        for place in rows.indices where scales[place] == 0 {
            for output in 0..<k { steps.storage.set(place * k + output, -moved[place, output]) }
        }
        let system = Matrix<Double>(uninitializedRows: active.count, columns: active.count)
        let right = Matrix<Double>(uninitializedRows: active.count, columns: k)
        for (row, own) in active.enumerated() {
            for (column, other) in active.enumerated() {
                let value = scales[own] * inverse[own, other] * scales[other] + (row == column && !isWhole[own] ? 1 : 0)
                system.storage.set(row * active.count + column, value)
            }
            for output in 0..<k {
                var value = scales[own] * coefficients[rows[own], output] - (isWhole[own] ? 0 : moved[own, output] / scales[own])
                for place in rows.indices where scales[place] == 0 { value -= scales[own] * inverse[own, place] * steps[place, output] }
                right.storage.set(row * k + output, value)
            }
        }
        do {
            let solution = try Cholesky(inPlace: system, on: executor).solve(right, on: executor)
            for (row, own) in active.enumerated() {
                for output in 0..<k { steps.storage.set(own * k + output, scales[own] * solution[row, output]) }
            }
        } catch is NotPositiveDefinite {
            throw Self.singular(regression)
        }
        return Removal(rows: rows, steps: steps)
    }
}
