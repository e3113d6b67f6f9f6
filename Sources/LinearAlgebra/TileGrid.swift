/// A rectangle of index pairs inside a matrix.
public struct Tile: Sendable, Equatable {
    public var rows: Range<Int>
    public var columns: Range<Int>

    public init(rows: Range<Int>, columns: Range<Int>) {
        self.rows = rows
        self.columns = columns
    }

    /// A row of a matrix, whole.
    public init(row: Int, columns: Int) { self.init(rows: row..<row + 1, columns: 0..<columns) }

    /// What `Matrix.store` writes: the tile, and its transpose where it is mirrored and not on the diagonal.
    public func places(mirrored: Bool) -> [Tile] {
        mirrored && rows.lowerBound != columns.lowerBound ? [self, Tile(rows: columns, columns: rows)] : [self]
    }

    /// The same entries of a matrix that has `entries` columns for each.
    public func widened(by entries: Int) -> Tile {
        Tile(rows: rows, columns: columns.lowerBound * entries..<columns.upperBound * entries)
    }
}

/// The tiles that cover a matrix, or the upper triangle of a symmetric one (tiles on the diagonal included).
public struct TileGrid: Sendable {
    public let tiles: [Tile]

    public init(rows: Int, columns: Int, side: Int, upperOnly: Bool) {
        var tiles: [Tile] = []
        var diagonal: [Tile] = []
        for row in stride(from: 0, to: rows, by: side) {
            for column in stride(from: upperOnly ? row : 0, to: columns, by: side) {
                let tile = Tile(rows: row..<min(row + side, rows), columns: column..<min(column + side, columns))
                if upperOnly && row == column { diagonal.append(tile) } else { tiles.append(tile) }
            }
        }
        // The smaller pieces of work come last, so that all threads end at about the same time.
        self.tiles = tiles + diagonal
    }
}
