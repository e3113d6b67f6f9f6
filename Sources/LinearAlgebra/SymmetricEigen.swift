internal import COpenBLAS

/// A = U Λ Uᵀ of a symmetric matrix: reduction to tridiagonal form, divide and conquer (LAPACK dstedc), and back, the last in parallel.
/// About 9n³/2 operations and two more n × n matrices.
public struct SymmetricEigen: Sendable {
    /// λ in ascending order.
    public let values: [Double]
    /// Uᵀ: the eigenvector of values[j] is row j.
    public let vectors: Matrix<Double>

    public var order: Int { values.count }

    /// One that is known.
    init(values: [Double], vectors: Matrix<Double>) {
        precondition(vectors.rows == values.count && vectors.columns == values.count)
        (self.values, self.vectors) = (values, vectors)
    }

    /// Decomposes `matrix`, which is destroyed; both halves must be there and finite.
    public init(inPlace matrix: Matrix<Double>, on executor: any TileExecutor) throws {
        let n = matrix.rows
        let form = Tridiagonal(inPlace: matrix)
        BLAS.useCallingThreadOnly()
        var order = Int32(n)
        var d = form.diagonal
        var e = form.offDiagonal + [0]
        let vectors = Matrix<Double>(uninitializedRows: n, columns: n)
        var size = Int32(clamping: 1 + 4 * n + n * n)
        let work = Storage<Double>(count: Int(size))
        var integers = [Int32](repeating: 0, count: 3 + 5 * n)
        var integersSize = Int32(integers.count)
        var info: Int32 = 0
        unsafe dstedc_("I", &order, &d, &e, vectors.base, &order, work.base, &size, &integers, &integersSize, &info)
        guard info == 0 else { throw NoConvergence() }
        let blocks = stride(from: 0, to: n, by: 128).map { $0..<min($0 + 128, n) }
        try executor.forEach(blocks.count) { form.apply("N", vectors, blocks[$0]) }
        values = d
        self.vectors = vectors
    }

    /// Uᵀ B for B [n, k].
    public func project(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try vectors.multiply(right, on: executor)
    }

    /// U C for C [n, k].
    public func combine(_ coordinates: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try vectors.transposedMultiply(coordinates, on: executor)
    }

    /// Σ_i U_ij² w_i for each mode j.
    public func modeMeans(of weights: [Double], on executor: any TileExecutor) throws -> [Double] {
        precondition(weights.count == order)
        let n = order
        let result = Storage<Double>(count: n)
        let blocks = stride(from: 0, to: n, by: 64).map { $0..<min($0 + 64, n) }
        try executor.forEach(blocks.count) { index in
            for mode in blocks[index] {
                let row = unsafe vectors.base + mode * n
                var sum = 0.0
                for i in 0..<n { unsafe sum += row[i] * row[i] * weights[i] }
                result.set(mode, sum)
            }
        }
        return result.elements
    }

    /// Σ_j U_ij² w_j for each i: the diagonal of U diag(w) Uᵀ.
    public func weightedDiagonal(_ weights: [Double], on executor: any TileExecutor) throws -> [Double] {
        precondition(weights.count == order)
        let n = order
        let result = Storage<Double>(count: n)
        let blocks = stride(from: 0, to: n, by: 256).map { $0..<min($0 + 256, n) }
        try executor.forEach(blocks.count) { index in
            let block = blocks[index]
            var sums = [Double](repeating: 0, count: block.count)
            for mode in 0..<n {
                let row = unsafe vectors.base + mode * n + block.lowerBound
                let weight = weights[mode]
                for i in 0..<block.count { unsafe sums[i] += weight * row[i] * row[i] }
            }
            for (i, sum) in sums.enumerated() { result.set(block.lowerBound + i, sum) }
        }
        return result.elements
    }
}
