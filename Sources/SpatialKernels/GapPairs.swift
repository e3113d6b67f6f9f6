import KernelLoops
import LinearAlgebra

/// The standard deviations of both points at a value, which with a gap make a covariance.
@unsafe struct GapPairs<Element: KernelScalar> {
    let a1, a2, q1, q2: UnsafeMutablePointer<Element>

    init(_ pass: SpatialPass<Element>, _ value: Int) throws {
        let (own, other) = try pass.variances(value)
        unsafe (a1, a2, q1, q2) = (own.roots(0), other.roots(0), own.row(0), other.row(0))
    }

    /// √q1 √q2, exact where both are one.
    @inline(__always)
    func product(_ row: PairRow, _ c: Int) -> Element {
        let (i, j) = (row.firstElement + c * row.step, row.secondElement + c)
        return unsafe q1[i] == q2[j] ? q1[i] : a1[i] * a2[j]
    }

    @inline(__always)
    func covariance(_ row: PairRow, _ c: Int, _ gap: Element) -> Element { unsafe product(row, c) * cosine(ofGap: gap) }
}
