/// Arithmetic of counts that requests size: a result that overflows is the largest integer, and so over every limit that it is held against.
extension Int {
    package func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    package func multipliedClamped(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// Its square.
    package var squaredClamped: Int { multipliedClamped(by: self) }
}

extension Sequence<Int> {
    /// The sum of counts.
    package var clampedSum: Int { reduce(0) { $0.addingClamped($1) } }

    /// The product of counts.
    package var clampedProduct: Int { reduce(1) { $0.multipliedClamped(by: $1) } }
}
