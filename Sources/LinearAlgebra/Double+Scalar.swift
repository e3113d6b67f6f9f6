internal import COpenBLAS

extension Double: Scalar {
    @unsafe public static func gemmTransposed(
        _ m: Int, _ n: Int, _ k: Int, alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
        beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    @unsafe public static func gemm(
        _ m: Int, _ n: Int, _ k: Int, alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
        beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    @unsafe public static func gemmLeftTransposed(
        _ m: Int, _ n: Int, _ k: Int, alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
        beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    @unsafe public static func syrk(
        _ n: Int, _ k: Int, alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int, beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, Int32(n), Int32(k), alpha, a, Int32(lda), beta, c, Int32(ldc))
    }

    @unsafe public static func trsmLeft(
        transposed: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Double>, _ ldl: Int, _ b: UnsafeMutablePointer<Double>, _ ldb: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_dtrsm(
            CblasRowMajor, CblasLeft, CblasLower, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, Int32(m), Int32(n), 1, l, Int32(ldl),
            b, Int32(ldb))
    }

    @unsafe public static func trsmRight(
        transposed: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Double>, _ ldl: Int, _ b: UnsafeMutablePointer<Double>, _ ldb: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_dtrsm(
            CblasRowMajor, CblasRight, CblasLower, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, Int32(m), Int32(n), 1, l, Int32(ldl),
            b, Int32(ldb))
    }

    @unsafe public static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Double>, _ lda: Int) -> Int {
        BLAS.useCallingThreadOnly()
        var order = Int32(n)
        var stride = Int32(lda)
        var info: Int32 = 0
        // A row-major lower triangle is a column-major upper one.
        unsafe dpotrf_("U", &order, a, &stride, &info)
        return Int(info)
    }

    @unsafe public static func pocon(_ n: Int, _ l: UnsafePointer<Double>, _ ldl: Int, norm: Double) -> Double {
        BLAS.useCallingThreadOnly()
        var order = Int32(n)
        var stride = Int32(ldl)
        var norm = norm
        var reciprocal: Double = 0
        var info: Int32 = 0
        var work = [Double](repeating: 0, count: 3 * n)
        var integers = [Int32](repeating: 0, count: n)
        unsafe dpocon_("U", &order, l, &stride, &norm, &reciprocal, &work, &integers, &info)
        return reciprocal
    }

    @unsafe public static func asum(_ n: Int, _ x: UnsafePointer<Double>) -> Double {
        BLAS.useCallingThreadOnly()
        return unsafe cblas_dasum(Int32(n), x, 1)
    }

    @unsafe public static func squares(_ n: Int, _ x: UnsafePointer<Double>, stride: Int) -> Double {
        guard stride == 1 else {
            BLAS.useCallingThreadOnly()
            return unsafe cblas_ddot(Int32(n), x, Int32(stride), x, Int32(stride))
        }
        return unsafe sumOfSquares(n, x, SIMD8<Double>.self)
    }
}
