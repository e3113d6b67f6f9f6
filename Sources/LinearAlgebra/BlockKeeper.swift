/// Keeps the finished blocks of a long computation where they outlive the process, so that the same computation, begun again, goes on from
/// them. What comes out is, bit for bit, what it would have been.
public protocol BlockKeeper: Sendable {
    /// Floating-point operations that a block should have: what is lost at most, and much beside what it takes to keep it.
    var blockOperations: Double { get }

    /// A matrix [rows, columns] in memory that is kept, made of `blocks`; those that are not there yet are computed, in order.
    /// - Parameters:
    ///   - name: each matrix of a computation has its own.
    ///   - plan: how the matrix is divided; what was made by another plan counts for nothing.
    ///   - inputs: what the blocks are made from, where that is a result itself; of another input another matrix is made.
    ///   - places: what a block writes of the matrix, and no later block does: by that it is known to be still what was kept.
    ///   - compute: writes a block into the matrix.
    /// - Returns: the matrix, which is not to be changed; nil if there is no room for it.
    func matrix<Element: Scalar>(
        _ name: String, plan: String, inputs: [Matrix<Double>], rows: Int, columns: Int, blocks: Int, as _: Element.Type,
        places: @escaping @Sendable (_ block: Int) -> [Tile], compute: (_ block: Int, _ matrix: Matrix<Element>) throws -> Void
    ) throws -> Matrix<Element>?

    /// Leaves the memory that kept matrices take to others, until they are read again.
    func giveBack()
}

extension BlockKeeper {
    /// A copy of a kept matrix, made some rows at a time, so that both never stand in memory whole.
    public func copy<Element: Scalar>(_ kept: Matrix<Element>) -> Matrix<Element> {
        let copy = Matrix<Element>(uninitializedRows: kept.rows, columns: kept.columns)
        let step = max(1, (1 << 22) / max(kept.columns, 1))
        for start in stride(from: 0, to: kept.rows, by: step) {
            let rows = start..<min(start + step, kept.rows)
            copy.slice(rows).assignElements(kept.slice(rows))
            giveBack()
        }
        return copy
    }

    /// Sides of a block of pairs of points.
    private var sides: ClosedRange<Int> { 32...2048 }

    /// The side of a block of pairs of points, a power of two.
    public func side(operationsPerPair: Int) -> Int {
        let side = (blockOperations / Double(max(operationsPerPair, 1))).squareRoot()
        var power = sides.lowerBound
        while power < sides.upperBound, Double(2 * power) <= side { power *= 2 }
        return power
    }

    /// Whether values of pairs of points are better kept than computed again: each takes longer than to write it does, or all together take
    /// long.
    public func isWorthwhile(pairs: Double, operationsPerPair: Int) -> Bool {
        let operations = pairs * Double(operationsPerPair)
        return operations > (operationsPerPair >= 4_000 ? 1 : 64) * blockOperations
    }
}

/// Passes its loops to another executor, and what takes long to a keeper.
public struct KeepingTiles: TileExecutor {
    private let base: any TileExecutor
    public let keeper: (any BlockKeeper)?

    public init(_ base: any TileExecutor = ConcurrentTiles(), keeper: any BlockKeeper) {
        self.base = base
        self.keeper = keeper
    }

    public func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws { try base.forEach(count, body) }
}

extension TileExecutor {
    /// A matrix over pairs of points of which an entry depends, bit for bit, on its pair alone: at once, or, where blocks are kept and it
    /// is worth it, block by block.
    /// - Parameters:
    ///   - place: what tells this matrix from others of the name, each of which takes the place of the one before.
    ///   - whole: all of it.
    ///   - block: a block; one on the diagonal of a symmetric matrix is symmetric itself.
    /// - Returns: a matrix in memory of its own.
    public func pairs<Element: Scalar>(
        _ name: String, place: String = "", rows: Int, columns: Int, isSymmetric: Bool, operationsPerPair: Int, as _: Element.Type,
        whole: () throws -> Matrix<Element>, block: (Tile) throws -> Matrix<Element>
    ) throws -> Matrix<Element> {
        let count = Double(rows) * Double(columns) / (isSymmetric ? 2 : 1)
        guard let keeper, keeper.isWorthwhile(pairs: count, operationsPerPair: operationsPerPair) else { return try whole() }
        let side = keeper.side(operationsPerPair: operationsPerPair)
        let tiles = TileGrid(rows: rows, columns: columns, side: side, upperOnly: isSymmetric).tiles
        guard tiles.count > 1 else { return try whole() }
        let places = { @Sendable (block: Int) in tiles[block].places(mirrored: isSymmetric) }
        let kept = try keeper.matrix(
            name, plan: "\(place)\(isSymmetric ? " symmetric" : "") in blocks of \(side)", inputs: [], rows: rows, columns: columns,
            blocks: tiles.count, as: Element.self, places: places
        ) { index, matrix in
            let values = try block(tiles[index])
            matrix.store(values.storage, stride: values.columns, tile: tiles[index], mirrored: isSymmetric)
        }
        return try kept.map(keeper.copy) ?? whole()
    }
}
