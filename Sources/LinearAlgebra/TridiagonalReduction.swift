internal import COpenBLAS

/// The reduction of a symmetric matrix to tridiagonal form by Householder reflections, panel by panel, as LAPACK's dsytrd does it with dlatrd and
/// dsyr2k: 4n³/3 operations. It is written out because dsytrd cannot be left: of 10,000 rows it takes minutes, a column of a panel 0.1 s.
struct TridiagonalReduction {
    /// T_ii.
    private(set) var diagonal: [Double]
    /// T_{i,i+1}, and one more.
    private(set) var offDiagonal: [Double]
    /// Of the reflections.
    private(set) var scales: [Double]
    /// Symmetric, so that row-major and column-major are the same; below its diagonal the reflections' vectors come to stand.
    private let matrix: Matrix<Double>
    /// The columns of a panel's update, one after another.
    private let update: Matrix<Double>
    private var order: Int { matrix.rows }

    /// Columns of a panel, as LAPACK has it.
    private static let panel = 32
    /// Rows up to which LAPACK does the rest.
    private static let rest = 64
    /// Columns that are updated at once.
    private static let strip = 256

    init(_ matrix: Matrix<Double>) {
        self.matrix = matrix
        update = Matrix(zeroRows: Self.panel, columns: matrix.rows)
        diagonal = [Double](repeating: 0, count: matrix.rows)
        offDiagonal = [Double](repeating: 0, count: max(matrix.rows - 1, 1))
        scales = offDiagonal
    }

    /// Stops where nobody waits any more.
    mutating func run() {
        var first = 0
        while order - first > Self.rest {
            guard reducePanel(first), updateBeyond(first) else { return }
            for column in first..<first + Self.panel {
                unsafe matrix.base[column * order + column + 1] = offDiagonal[column]
                diagonal[column] = unsafe matrix.base[column * order + column]
            }
            first += Self.panel
        }
        reduceRest(first)
    }

    /// LAPACK's dlatrd: reduces the columns of a panel, and gathers what they change beyond it.
    private mutating func reducePanel(_ first: Int) -> Bool {
        let (n, stride) = (order - first, Int32(order))
        let a = unsafe matrix.base + first * order + first
        let w = unsafe update.base
        for k in 0..<Self.panel {
            if CurrentWork.isCancelled { return false }
            let (columns, rows, below) = (Int32(k), Int32(n - k), Int32(n - k - 1))
            let own = unsafe a + k * order + k
            unsafe cblas_dgemv(CblasColMajor, CblasNoTrans, rows, columns, -1, a + k, stride, w + k, stride, 1, own, 1)
            unsafe cblas_dgemv(CblasColMajor, CblasNoTrans, rows, columns, -1, w + k, stride, a + k, stride, 1, own, 1)
            let v = unsafe own + 1
            var (length, one, tau) = (below, Int32(1), 0.0)
            unsafe dlarfg_(&length, v, v + 1, &one, &tau)
            offDiagonal[first + k] = unsafe v[0]
            scales[first + k] = tau
            unsafe v[0] = 1
            let (column, sums) = unsafe (w + k * order + k + 1, w + k * order)
            unsafe cblas_dsymv(CblasColMajor, CblasLower, below, 1, own + order + 1, stride, v, 1, 0, column, 1)
            unsafe cblas_dgemv(CblasColMajor, CblasTrans, below, columns, 1, w + k + 1, stride, v, 1, 0, sums, 1)
            unsafe cblas_dgemv(CblasColMajor, CblasNoTrans, below, columns, -1, a + k + 1, stride, sums, 1, 1, column, 1)
            unsafe cblas_dgemv(CblasColMajor, CblasTrans, below, columns, 1, a + k + 1, stride, v, 1, 0, sums, 1)
            unsafe cblas_dgemv(CblasColMajor, CblasNoTrans, below, columns, -1, w + k + 1, stride, sums, 1, 1, column, 1)
            unsafe cblas_dscal(below, tau, column, 1)
            unsafe cblas_daxpy(below, -tau / 2 * cblas_ddot(below, column, 1, v, 1), v, 1, column, 1)
        }
        return true
    }

    /// A − V Wᵀ − W Vᵀ beyond the panel, strip by strip of its lower half.
    private func updateBeyond(_ first: Int) -> Bool {
        let (n, stride, rank) = (order - first - Self.panel, Int32(order), Int32(Self.panel))
        let v = unsafe matrix.base + first * order + first + Self.panel
        let w = unsafe update.base + Self.panel
        let a = unsafe v + Self.panel * order
        for start in Swift.stride(from: 0, to: n, by: Self.strip) {
            if CurrentWork.isCancelled { return false }
            let end = min(start + Self.strip, n)
            let (width, below) = (Int32(end - start), Int32(n - end))
            unsafe cblas_dsyr2k(
                CblasColMajor, CblasLower, CblasNoTrans, width, rank, -1, v + start, stride, w + start, stride, 1, a + start * order + start, stride)
            guard below > 0 else { continue }
            let under = unsafe a + start * order + end
            unsafe cblas_dgemm(
                CblasColMajor, CblasNoTrans, CblasTrans, below, width, rank, -1, v + end, stride, w + start, stride, 1, under, stride)
            unsafe cblas_dgemm(
                CblasColMajor, CblasNoTrans, CblasTrans, below, width, rank, -1, w + end, stride, v + start, stride, 1, under, stride)
        }
        return true
    }

    private mutating func reduceRest(_ first: Int) {
        var (n, stride, size, info) = (Int32(order - first), Int32(order), Int32(Self.rest * Self.panel), Int32(0))
        var d = [Double](repeating: 0, count: order - first)
        var e = [Double](repeating: 0, count: max(order - first - 1, 1))
        var tau = e
        var work = [Double](repeating: 0, count: Int(size))
        unsafe dsytrd_("L", &n, matrix.base + first * order + first, &stride, &d, &e, &tau, &work, &size, &info)
        precondition(info == 0, "dsytrd takes these arguments")
        diagonal.replaceSubrange(first..., with: d)
        offDiagonal.replaceSubrange(min(first, offDiagonal.count - e.count)..., with: e)
        scales.replaceSubrange(min(first, scales.count - tau.count)..., with: tau)
    }
}
