public import Activations
public import Architecture
public import KernelLoops
public import LinearAlgebra
import SpatialKernels

/// The kernels of an infinitely wide network: NNGP K and NTK Θ.
///
/// For a fully-connected network with layers u_l = W_l φ(u_{l−1}) + b_l, the covariance of the outputs over random weights and the tangent
/// kernel follow by one recursion over the layers (Jacot, Gabriel, Hongler 2018, arXiv 1806.07572, Theorem 1):
///
///     K_l = σ_w² E[φ(u)φ(v)] + σ_b²,   Θ_l = K_l + σ_w² E[φ'(u)φ'(v)] Θ_{l−1},   (u, v) ~ N(0, K_{l−1})
///
/// starting from K_0(x, x') = x·x' / d. It is carried in the *gap* 1 ∓ c of the cosine c = K(x, x')/√(K(x, x) K(x', x')), so that the angle
/// between two points keeps an absolute error of a few ε at any distance; carried in c itself it loses √ε where points nearly coincide.
///
/// With spatial axes K and Θ are held for pairs of positions too, see `SpatialPlan`.
public struct AnalyticKernel: Sendable {
    /// Extents of a point: spatial axes, then channels.
    public let shape: [Int]
    let plan: VectorPlan
    private var program: KernelProgram { plan.program }
    /// nil where a point is a vector all along.
    let spatial: SpatialKernel?
    let costs: KernelWork
    /// nil where some layer is not homogeneous.
    private let homogeneity: Homogeneity?
    /// Bytes of the tables that the kernel keeps: which positions meet, and where they are held.
    public let tableBytes: Int

    /// Numbers that a point has.
    public var features: Int { shape.clampedProduct }

    /// Operations on a pair in all.
    public var depth: Int { program.instructions.count }

    /// Nodes of the graphs over which the architecture aggregates; nil where it does not, so that points come without patterns.
    public var patternSize: Int? { program.patternSize }

    /// Whether kernels may come with an estimate of their error: where some activation's dual is no closed form, and where positions are mixed.
    public var hasEstimates: Bool {
        spatial != nil || program.instructions.contains { if case .activation(let step) = $0.operation { step.dual.isNumerical } else { false } }
    }

    /// Bytes that the layers take for so many points in all on as many threads, beside the points and the results.
    public func layerBytes<Element: KernelScalar>(points: Int, threads: Int, as _: Element.Type) -> Int {
        spatial?.workingBytes(points: points, threads: threads, as: Element.self)
            ?? plan.workingBytes(points: points, threads: threads, as: Element.self)
    }

    /// Bytes that `matrices`, or without panels `diagonals`, takes beside its results for so many points in all on as many threads.
    public func workingBytes<Element: KernelScalar>(points: Int, inPanels: Bool = true, threads: Int, as _: Element.Type) -> Int {
        let layers = layerBytes(points: points, threads: threads, as: Element.self)
        guard spatial == nil else { return layers }
        // Unit vectors, in rows and in panels, and their sums, of up to two sets that are each filled up to whole panels; of one in rows alone to whole blocks.
        let padding = PointSet<Element>.rowPadding
        let rows = inPanels ? 2 * (points.roundedUp(to: padding) + padding) : points.roundedUp(to: blockRows)
        let width = features + (features + cosineChunk - 1) / cosineChunk
        let size = MemoryLayout<Element>.stride
        return rows.multipliedClamped(by: width * size).addingClamped(layers)
    }

    /// The kernel of points that are vectors.
    /// - Throws: `ArchitectureError` with the place in the tree if `architecture` has no kernel on points of `features` numbers.
    public init(_ architecture: Layer, features: Int, meter: CompilationMeter = CompilationMeter()) throws(ArchitectureError) {
        try self.init(architecture, shape: [features], meter: meter)
    }

    /// - Parameters:
    ///   - shape: extents of a point, spatial axes first, channels last.
    ///   - meter: asked for the memory of tables before they are made, and now and then whether to go on.
    /// - Throws: `ArchitectureError` with the place in the tree if `architecture` has no kernel on points of this shape.
    public init(_ architecture: Layer, shape: [Int], meter: CompilationMeter = CompilationMeter()) throws(ArchitectureError) {
        precondition(!shape.isEmpty && shape.allSatisfy { $0 > 0 }, "a point has at least one number")
        self.shape = shape
        let before = meter.usage.bytes
        var program = try KernelCompiler.compile(architecture, spatial: Array(shape.dropLast()), channels: shape[shape.count - 1], meter: meter)
        program.flattenInput()
        plan = VectorPlan(program)
        homogeneity = Homogeneity(program)
        spatial = program.spatial.isEmpty ? nil : try SpatialKernel(program, channels: shape[shape.count - 1], meter: meter)
        tableBytes = meter.usage.bytes - before
        costs = KernelWork(program, spatial, features: shape.clampedProduct)
    }

    /// Kernel matrices between the points of `x1` [n1, d] and `x2` [n2, d], or among those of `x1`.
    ///
    /// A row of x1 or x2 is a point in row-major order of `shape`; a NaN is a masked entry, which counts as zero, and a position whose
    /// channels are all masked takes no part: its biases do not count, and pooling averages over the others.
    ///
    /// With `x2` nil the result is symmetric bit for bit, only one half is computed, and the diagonal comes from its own exact formula.
    /// Entries are positive semi-definite up to rounding, and each depends, bit for bit, on its two points only.
    /// - Parameter patterns: for `aggregate`, the adjacency of each point of x1 and x2 [n, V·V]: x ← Aᵀ x.
    /// - Time: n1·n2·(2d + layers·c) operations, half of it without `x2`. Memory: the results, a normalized copy of the inputs, and two
    ///   tiles a thread.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func matrices<Element: KernelScalar>(
        _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil, patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)? = nil, kinds: Set<KernelKind>,
        as _: Element.Type, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Kernels<Matrix<Element>> {
        try check(x1, x2)
        let (x1, x2) = (x1.inUnits(homogeneity), x2?.inUnits(homogeneity))
        if let spatial {
            return try spatial.matrices(
                .init(x: x1, patterns: patterns?.x1), x2.map { .init(x: $0, patterns: patterns?.x2) }, kinds: kinds, as: Element.self,
                on: executor)
        }
        return try matrices(
            MaskedPoints(x1, on: executor), x2.map { try VectorPoints(MaskedPoints($0, on: executor), plan: plan, set: "x2", on: executor) },
            kinds: kinds, on: executor)
    }

    /// The same for one set of points after another with the same x2, which was prepared once.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func matrices<Element: KernelScalar>(
        _ x1: Matrix<Double>, _ x2: PreparedPoints<Element>, patterns: Matrix<Double>? = nil, kinds: Set<KernelKind>,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Kernels<Matrix<Element>> {
        guard let vectors = x2.vectors else {
            return try matrices(x1, x2.x, patterns: patterns.map { ($0, x2.patterns) }, kinds: kinds, as: Element.self, on: executor)
        }
        try check(x1, x2.x)
        return try matrices(MaskedPoints(x1.inUnits(homogeneity), on: executor), vectors, kinds: kinds, on: executor)
    }

    /// Works out once what belongs to the points of a set and not to pairs: O(n (d + layers)), and as much memory as the points take.
    public func prepare<Element: KernelScalar>(
        _ x: Matrix<Double>, patterns: Matrix<Double>? = nil, as _: Element.Type, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> PreparedPoints<Element> {
        try check(x, nil)
        let x = x.inUnits(homogeneity)
        let vectors = spatial == nil ? try VectorPoints<Element>(MaskedPoints(x, on: executor), plan: plan, set: "x2", on: executor) : nil
        return PreparedPoints(x: x, patterns: patterns, vectors: vectors)
    }

    private func matrices<Element: KernelScalar>(
        _ points: MaskedPoints, _ second: VectorPoints<Element>?, kinds: Set<KernelKind>, on executor: any TileExecutor
    ) throws -> Kernels<Matrix<Element>> {
        let first = try PointSet<Element>(points.values, plan: plan, set: "x1", inPanels: second == nil, on: executor)
        let pass = TilePass(plan: plan, kinds: kinds, x1: first, x2: second?.points ?? first)
        let isSymmetric = second == nil
        let nngp = pass.hasNNGP ? Matrix<Element>(uninitializedRows: first.count, columns: pass.x2.count) : nil
        let ntk = pass.hasNTK ? Matrix<Element>(uninitializedRows: first.count, columns: pass.x2.count) : nil

        let grid = TileGrid(rows: first.count, columns: pass.x2.count, side: TilePass<Element>.side, upperOnly: isSymmetric)
        try executor.forEach(grid.tiles.count) { index in
            let tile = grid.tiles[index]
            let onDiagonal = isSymmetric && tile.rows.lowerBound == tile.columns.lowerBound
            let planes = try pass.compute(rows: tile.rows, columns: tile.columns, upperOnly: onDiagonal)
            if first.mayOverflow || pass.x2.mayOverflow {
                try check(planes, pass, tile: (tile.rows, tile.columns), isSymmetric: isSymmetric, onDiagonal: onDiagonal)
            }
            nngp?.store(planes.covariance, stride: planes.columns, tile: tile, mirrored: isSymmetric)
            ntk?.store(planes.theta, stride: planes.columns, tile: tile, mirrored: isSymmetric)
        }
        if isSymmetric {
            nngp?.storeDiagonal(first.nngpDiagonal)
            ntk?.storeDiagonal(first.ntkDiagonal)
        }
        for matrix in [nngp, ntk] { matrix?.clear(rows: points.missing, columns: second?.missing ?? points.missing) }
        return Kernels(nngp: nngp, ntk: ntk, errorEstimate: max(first.errorEstimate, pass.x2.errorEstimate))
    }

    /// - Throws: at a pair whose value is not finite though its points' own are: of numbers so large that a product on the way may have been.
    private func check<Element: KernelScalar>(
        _ planes: TilePass<Element>.Planes, _ pass: TilePass<Element>, tile: (rows: Range<Int>, columns: Range<Int>), isSymmetric: Bool,
        onDiagonal: Bool
    ) throws(KernelError) {
        for plane in [pass.hasNNGP ? planes.covariance : nil, pass.hasNTK ? planes.theta : nil] {
            guard let plane else { continue }
            for i in 0..<tile.rows.count {
                for j in (onDiagonal ? i + 1 : 0)..<tile.columns.count {
                    guard unsafe !plane.base[i * planes.columns + j].isFinite else { continue }
                    throw .pairOverflow(
                        first: tile.rows.lowerBound + i, second: tile.columns.lowerBound + j, isAmongOneSet: isSymmetric,
                        precision: Element.precisionName)
                }
            }
        }
    }

    /// k(x, x) for each point of `x` [n, d], by the exact formula of one point: O(n (d + layers)).
    public func diagonals<Element: KernelScalar>(
        _ x: Matrix<Double>, patterns: Matrix<Double>? = nil, kinds: Set<KernelKind>, as _: Element.Type,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Kernels<[Element]> {
        try check(x, nil)
        let x = x.inUnits(homogeneity)
        if let spatial { return try spatial.diagonals(.init(x: x, patterns: patterns), kinds: kinds, as: Element.self, on: executor) }
        let masked = try MaskedPoints(x, on: executor)
        let points = try PointSet<Element>(masked.values, plan: plan, set: "x1", inPanels: false, on: executor)
        func values(_ kind: KernelKind, _ diagonal: [Double]) -> [Element]? {
            guard kinds.contains(kind) else { return nil }
            var values = diagonal.map { Element($0) }
            for point in masked.missing { values[point] = 0 }
            return values
        }
        return Kernels(
            nngp: values(.nngp, points.nngpDiagonal), ntk: values(.ntk, points.ntkDiagonal), errorEstimate: points.errorEstimate)
    }

    private func check(_ x1: Matrix<Double>, _ x2: Matrix<Double>?) throws(KernelError) {
        guard x1.columns == features else { throw .featuresDiffer(x1: features, x2: x1.columns) }
        if let x2, x2.columns != features { throw .featuresDiffer(x1: features, x2: x2.columns) }
    }
}
