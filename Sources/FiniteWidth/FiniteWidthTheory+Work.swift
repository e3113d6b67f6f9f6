package import LinearAlgebra

extension FiniteWidthTheory {
    /// What the pairs of so many points cost.
    package func work(_ n1: Int, _ n2: Int?) -> Work {
        let (rows, columns) = (Double(n1), Double(n2 ?? n1))
        let pairs = n2 == nil ? rows * (rows + 1) / 2 : rows * columns
        let points = rows + Double(n2 ?? 0)
        var work = Work(.formulas, pairs * Double(features))
        for function in chain.functions {
            switch function.averages {
            case .homogeneous: work += Work(.formulas, 3_000 * pairs)
            case .erf: work += Work(.formulas, 8_000 * pairs)
            // The terms of the series, and of each point their coefficients.
            case .series: work += Work(.formulas, 30_000 * pairs + 4e6 * points)
            }
        }
        return work
    }

    /// Bytes of what is kept of each point: of series up to 640 terms.
    package func pointBytes(points: Int) -> Int {
        chain.functions.lazy.map { $0.isClosed ? 200 : 640 * HermiteExpansion.stride * 8 + 200 }.clampedSum.multipliedClamped(by: points)
    }
}
