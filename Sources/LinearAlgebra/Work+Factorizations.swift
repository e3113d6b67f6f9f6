// What the steps of linear algebra cost.
extension Work {
    /// A B for A [m, n] and B [n, k].
    public static func product(_ m: Int, _ n: Int, _ k: Int) -> Work {
        let (m, n, k) = (Double(m), Double(n), Double(k))
        return Work(.products, 2 * m * n * k) + Work(.memory, 8 * (m * n + n * k + m * k))
    }

    /// A matrix [m, n] read or written once.
    public static func pass(_ m: Int, _ n: Int) -> Work { Work(.memory, 8 * Double(m) * Double(n)) }

    /// `Cholesky` of order n: the blocks on the diagonal by one thread.
    public static func cholesky(_ order: Int, isFloat32: Bool = false) -> Work {
        let n = Double(order)
        let pivots = n * min(n, 256) * min(n, 256) / 3
        let size = isFloat32 ? 0.5 : 1
        return
            (Work(.factorizations, max(n * n * n / 3 - pivots, 0)) + (Work(.factorizations, 3 * pivots) + Work(.calls, 5)).onOneThread
            + Work(.memory, 16 * n * n)) * size
    }

    /// `Tridiagonal` of order n: by one thread, half of it at the speed of the memory.
    public static func tridiagonal(_ order: Int) -> Work {
        let n = Double(order)
        return (Work(.factorizations, 2 * n * n * n / 3) + Work(.memory, 8 * n * n * n / 3 * min(1, 0.15 + n / 3_000)) + Work(.calls, 5 + 0.5 * n))
            .onOneThread
    }

    /// `SymmetricEigen` of order n.
    public static func eigenvectors(_ order: Int) -> Work {
        let n = Double(order)
        return tridiagonal(order) + (Work(.factorizations, 2 * n * n * n) + Work(.formulas, 100 * n * n.squareRoot() + 4 * n * n)).onOneThread
            + Work(.factorizations, 2 * n * n * n) + Work(.memory, 48 * n * n)
    }
}
