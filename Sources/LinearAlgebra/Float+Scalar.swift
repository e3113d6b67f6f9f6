internal import COpenBLAS

extension Float: Scalar {
    @unsafe public static func gemmTransposed(
        _ m: Int, _ n: Int, _ k: Int, alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    @unsafe public static func gemm(
        _ m: Int, _ n: Int, _ k: Int, alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    @unsafe public static func gemmLeftTransposed(
        _ m: Int, _ n: Int, _ k: Int, alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    @unsafe public static func syrk(
        _ n: Int, _ k: Int, alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, Int32(n), Int32(k), alpha, a, Int32(lda), beta, c, Int32(ldc))
    }

    @unsafe public static func trsmLeft(
        transposed: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Float>, _ ldl: Int, _ b: UnsafeMutablePointer<Float>, _ ldb: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_strsm(
            CblasRowMajor, CblasLeft, CblasLower, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, Int32(m), Int32(n), 1, l, Int32(ldl),
            b, Int32(ldb))
    }

    @unsafe public static func trsmRight(
        transposed: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Float>, _ ldl: Int, _ b: UnsafeMutablePointer<Float>, _ ldb: Int
    ) {
        BLAS.useCallingThreadOnly()
        unsafe cblas_strsm(
            CblasRowMajor, CblasRight, CblasLower, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, Int32(m), Int32(n), 1, l, Int32(ldl),
            b, Int32(ldb))
    }

    @unsafe public static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Float>, _ lda: Int) -> Int {
        BLAS.useCallingThreadOnly()
        var order = Int32(n)
        var stride = Int32(lda)
        var info: Int32 = 0
        // A row-major lower triangle is a column-major upper one.
        unsafe spotrf_("U", &order, a, &stride, &info)
        return Int(info)
    }

    @unsafe public static func pocon(_ n: Int, _ l: UnsafePointer<Float>, _ ldl: Int, norm: Float) -> Float {
        BLAS.useCallingThreadOnly()
        var order = Int32(n)
        var stride = Int32(ldl)
        var norm = norm
        var reciprocal: Float = 0
        var info: Int32 = 0
        var work = [Float](repeating: 0, count: 3 * n)
        var integers = [Int32](repeating: 0, count: n)
        unsafe spocon_("U", &order, l, &stride, &norm, &reciprocal, &work, &integers, &info)
        return reciprocal
    }

    @unsafe public static func asum(_ n: Int, _ x: UnsafePointer<Float>) -> Float {
        BLAS.useCallingThreadOnly()
        return unsafe cblas_sasum(Int32(n), x, 1)
    }

    @unsafe public static func squares(_ n: Int, _ x: UnsafePointer<Float>, stride: Int) -> Float {
        guard stride == 1 else {
            BLAS.useCallingThreadOnly()
            return unsafe cblas_sdot(Int32(n), x, Int32(stride), x, Int32(stride))
        }
        return unsafe sumOfSquares(n, x, SIMD16<Float>.self)
    }
}
