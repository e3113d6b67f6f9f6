public import LinearAlgebra

/// The kernels of an infinitely wide network: NNGP K and NTK Θ.
///
/// For a fully-connected network with layers u_l = W_l φ(u_{l−1}) + b_l, the covariance of the outputs over random weights and the tangent
/// kernel follow by one recursion over the layers (Jacot, Gabriel, Hongler 2018, arXiv 1806.07572, Theorem 1):
///
///     K_l = σ_w² E[φ(u)φ(v)] + σ_b²,   Θ_l = K_l + σ_w² E[φ'(u)φ'(v)] Θ_{l−1},   (u, v) ~ N(0, K_{l−1})
///
/// starting from K_0(x, x') = x·x' / d. It is carried in the *gap* 1 ∓ c of the cosine c = K(x, x')/√(K(x, x) K(x', x')), so that the angle
/// between two points keeps an absolute error of a few ε at any distance; carried in c itself it loses √ε where points nearly coincide.
public struct AnalyticKernel: Sendable {
    /// Numbers that a point has.
    public let features: Int
    private let program: KernelProgram

    /// Affine maps and activations in all.
    public var depth: Int { program.steps.count }

    /// - Throws: `ArchitectureError` with the place in the tree if `architecture` has no kernel on points of `features` numbers.
    public init(_ architecture: Layer, features: Int) throws(ArchitectureError) {
        precondition(features > 0, "a point has at least one feature")
        self.features = features
        program = try KernelProgram(architecture, features: features)
    }

    /// Kernel matrices between the points of `x1` [n1, d] and `x2` [n2, d], or among those of `x1`.
    ///
    /// With `x2` nil the result is symmetric bit for bit, only one half is computed, and the diagonal comes from its own exact formula.
    /// Entries are positive semi-definite up to rounding, and each depends, bit for bit, on its two points only.
    /// - Time: n1·n2·(2d + layers·c) operations, half of it without `x2`. Memory: the results, a normalized copy of the inputs, and two
    ///   tiles a thread.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func matrices<Element: KernelScalar>(
        _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil, kinds: Set<KernelKind>, as _: Element.Type,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Kernels<Matrix<Element>> {
        try check(x1, x2)
        let first = try PointSet<Element>(x1, program: program, set: "x1", on: executor)
        let second = try x2.map { try PointSet<Element>($0, program: program, set: "x2", on: executor) }
        let pass = TilePass(program: program, kinds: kinds, x1: first, x2: second ?? first)
        let isSymmetric = second == nil
        let nngp = kinds.contains(.nngp) ? Matrix<Element>(uninitializedRows: x1.rows, columns: pass.x2.count) : nil
        let ntk = kinds.contains(.ntk) ? Matrix<Element>(uninitializedRows: x1.rows, columns: pass.x2.count) : nil

        let grid = TileGrid(rows: x1.rows, columns: pass.x2.count, side: TilePass<Element>.side, upperOnly: isSymmetric)
        try executor.forEach(grid.tiles.count) { index in
            let tile = grid.tiles[index]
            let onDiagonal = isSymmetric && tile.rows.lowerBound == tile.columns.lowerBound
            let planes = pass.compute(rows: tile.rows, columns: tile.columns, upperOnly: onDiagonal)
            nngp?.store(planes.covariance, stride: planes.columns, tile: tile, mirrored: isSymmetric)
            ntk?.store(planes.theta, stride: planes.columns, tile: tile, mirrored: isSymmetric)
        }
        if isSymmetric {
            nngp?.storeDiagonal(first.nngpDiagonal)
            ntk?.storeDiagonal(first.ntkDiagonal)
        }
        return Kernels(nngp: nngp, ntk: ntk)
    }

    /// k(x, x) for each point of `x` [n, d], by the exact formula of one point: O(n (d + layers)).
    public func diagonals<Element: KernelScalar>(
        _ x: Matrix<Double>, kinds: Set<KernelKind>, as _: Element.Type, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Kernels<[Element]> {
        try check(x, nil)
        let points = try PointSet<Element>(x, program: program, set: "x1", on: executor)
        return Kernels(
            nngp: kinds.contains(.nngp) ? points.nngpDiagonal.map { Element($0) } : nil,
            ntk: kinds.contains(.ntk) ? points.ntkDiagonal.map { Element($0) } : nil)
    }

    private func check(_ x1: Matrix<Double>, _ x2: Matrix<Double>?) throws(KernelError) {
        guard x1.columns == features else { throw .featuresDiffer(x1: features, x2: x1.columns) }
        if let x2, x2.columns != features { throw .featuresDiffer(x1: features, x2: x2.columns) }
    }
}
