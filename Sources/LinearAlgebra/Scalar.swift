internal import COpenBLAS

/// The two precisions, with the BLAS and LAPACK of each. A call works in the calling thread only: parallelism is the tile executor's.
///
/// All matrices are row-major with the given distance between rows; L is a lower triangle.
public protocol Scalar: BinaryFloatingPoint, BitwiseCopyable, Codable, Sendable, SIMDScalar where RawSignificand: FixedWidthInteger {
    /// C = alpha A Bᵀ + beta C with A [m, k], B [n, k], C [m, n].
    @unsafe static func gemmTransposed(
        _ m: Int, _ n: Int, _ k: Int, alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, _ b: UnsafePointer<Self>, _ ldb: Int,
        beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int)

    /// C = alpha A B + beta C with A [m, k], B [k, n], C [m, n].
    @unsafe static func gemm(
        _ m: Int, _ n: Int, _ k: Int, alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, _ b: UnsafePointer<Self>, _ ldb: Int,
        beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int)

    /// C = alpha Aᵀ B + beta C with A [k, m], B [k, n], C [m, n].
    @unsafe static func gemmLeftTransposed(
        _ m: Int, _ n: Int, _ k: Int, alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, _ b: UnsafePointer<Self>, _ ldb: Int,
        beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int)

    /// The lower triangle of C = alpha A Aᵀ + beta C with A [n, k], C [n, n].
    @unsafe static func syrk(
        _ n: Int, _ k: Int, alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int)

    /// B ← L⁻¹ B or L⁻ᵀ B with L [m, m], B [m, n].
    @unsafe static func trsmLeft(
        transposed: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Self>, _ ldl: Int, _ b: UnsafeMutablePointer<Self>, _ ldb: Int)

    /// B ← B L⁻ᵀ or B L⁻¹ with L [n, n], B [m, n].
    @unsafe static func trsmRight(
        transposed: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Self>, _ ldl: Int, _ b: UnsafeMutablePointer<Self>, _ ldb: Int)

    /// L of A = L Lᵀ in place of A's lower triangle.
    /// - Returns: 0, or the first leading minor that is not positive, from 1.
    @unsafe static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Self>, _ lda: Int) -> Int

    /// An estimate of 1 / cond₁(A) from L and ‖A‖₁.
    @unsafe static func pocon(_ n: Int, _ l: UnsafePointer<Self>, _ ldl: Int, norm: Self) -> Self

    /// Σ |x_i|.
    @unsafe static func asum(_ n: Int, _ x: UnsafePointer<Self>) -> Self

    /// Σ x_i².
    @unsafe static func squares(_ n: Int, _ x: UnsafePointer<Self>, stride: Int) -> Self
}
