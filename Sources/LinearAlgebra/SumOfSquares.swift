/// Σ x_i² of `n` numbers that stand one behind the other, in as many sums as the vector has elements.
///
/// The order of the sum does not depend on the address, as it does in BLAS: rows of odd length are aligned in two ways.
@inline(__always)
func sumOfSquares<Vector: SIMD>(_ n: Int, _ x: UnsafePointer<Vector.Scalar>, _: Vector.Type) -> Vector.Scalar
where Vector.Scalar: FloatingPoint & BitwiseCopyable {
    var sums = Vector.zero
    var index = 0
    while index + Vector.scalarCount <= n {
        let part = unsafe UnsafeRawPointer(x + index).loadUnaligned(as: Vector.self)
        sums += part * part
        index += Vector.scalarCount
    }
    var sum = sums.sum()
    while index < n {
        unsafe sum += x[index] * x[index]
        index += 1
    }
    return sum
}
