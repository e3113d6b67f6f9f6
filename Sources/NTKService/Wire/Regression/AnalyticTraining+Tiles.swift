internal import LinearAlgebra
internal import NTK

// The kernel in tiles, for systems that are too large for a factor.
extension AnalyticTraining {
    private static let side = PackedKernel.standardSide

    var canBePacked: Bool { true }

    func packed(_ groups: DuplicateGroups, on tiles: any TileExecutor, scaling: ([Double]) throws -> UnitScaling) throws -> PackedKernel? {
        let points = distinct(groups)
        return try checked {
            let diagonal = try kernel.diagonals(points.x, patterns: points.pattern, kinds: [kind], as: Double.self, on: tiles)[kind] ?? []
            let scaling = try scaling(diagonal)
            let factors = scaling.factors
            let grid = Self.grid(points)
            let kept = try keptTiles(points, grid, scaling, on: tiles)
            let scaled = zip(diagonal, factors).map { $0 * $1 * $1 }
            return try PackedKernel(order: groups.groupCount, side: Self.side, diagonal: scaled, scaling: scaling) { rows, columns in
                guard let kept, let place = grid.firstIndex(of: Tile(rows: rows, columns: columns)) else {
                    return try block(points, rows, columns, scaling, on: tiles)
                }
                // The tile before has been copied.
                tiles.keeper?.giveBack()
                return kept.slice(place * Self.side..<place * Self.side + rows.count)
            }
        }
    }

    /// The tiles, one below the other, in blocks that are kept; nil where that is not done.
    private func keptTiles(_ points: KernelPoints, _ grid: [Tile], _ scaling: UnitScaling, on tiles: any TileExecutor) throws -> Matrix<Float>? {
        guard let keeper = keeper(of: tiles, points) else { return nil }
        let side = keeper.side(operationsPerPair: kernel.operationsPerPair)
        let blocks = grid.enumerated().flatMap { place, tile in
            TileGrid(rows: tile.rows.count, columns: tile.columns.count, side: side, upperOnly: tile.rows == tile.columns).tiles.map { (place, $0) }
        }
        let places = { @Sendable (index: Int) in
            let (place, part) = blocks[index]
            return part.places(mirrored: grid[place].rows == grid[place].columns).map { tile in
                Tile(rows: place * Self.side + tile.rows.lowerBound..<place * Self.side + tile.rows.upperBound, columns: tile.columns)
            }
        }
        return try keeper.matrix(
            "packed", plan: "in blocks of \(side)\(scaling.isIdentity ? "" : ", of unit diagonal")", inputs: [], rows: grid.count * Self.side,
            columns: Self.side, blocks: blocks.count, as: Float.self, places: places
        ) { index, matrix in
            let (place, part) = blocks[index]
            let (tile, isSymmetric) = (grid[place], grid[place].rows == grid[place].columns)
            let values = try block(
                points, tile.rows.lowerBound + part.rows.lowerBound..<tile.rows.lowerBound + part.rows.upperBound,
                tile.columns.lowerBound + part.columns.lowerBound..<tile.columns.lowerBound + part.columns.upperBound, scaling, on: tiles)
            matrix.slice(place * Self.side..<(place + 1) * Self.side)
                .store(values.storage, stride: values.columns, tile: part, mirrored: isSymmetric)
        }
    }

    func multiply(_ groups: DuplicateGroups, _ vectors: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let points = distinct(groups)
        let (n, k) = (groups.groupCount, vectors.columns)
        let grid = Self.grid(points)
        let result = Matrix<Double>(zeroRows: n, columns: k)
        /// What a tile adds to the rows of its rows, and to those of its columns.
        func products(_ tile: Tile) throws -> (Matrix<Double>, Matrix<Double>?) {
            let (rows, columns) = (points.rows(tile.rows), points.rows(tile.columns))
            let values: Matrix<Double> = try kernel.matrix(
                "tile", place: "\(tile)", kind, rows, tile.rows == tile.columns ? nil : columns, on: tiles)
            return (
                try values.multiply(vectors.slice(tile.columns), on: tiles),
                tile.rows == tile.columns ? nil : try values.transposedMultiply(vectors.slice(tile.rows), on: tiles)
            )
        }
        func add(_ tile: Tile, _ own: Matrix<Double>, _ mirrored: Matrix<Double>?) {
            result.addRows(own, at: tile.rows.lowerBound)
            if let mirrored { result.addRows(mirrored, at: tile.columns.lowerBound) }
        }
        return try checked {
            let rowPlaces = { @Sendable (place: Int) in [Tile(row: place, columns: 2 * Self.side * k)] }
            let kept = try keeper(of: tiles, points)?.matrix(
                "products", plan: "", inputs: [vectors], rows: grid.count, columns: 2 * Self.side * k, blocks: grid.count, as: Double.self,
                places: rowPlaces
            ) { place, matrix in
                let (own, mirrored) = try products(grid[place])
                let row = matrix.slice(place..<place + 1).reshaped(rows: 2 * Self.side, columns: k)
                row.slice(0..<own.rows).assignElements(own)
                if let mirrored { row.slice(Self.side..<Self.side + mirrored.rows).assignElements(mirrored) }
            }
            for (place, tile) in grid.enumerated() {
                guard let kept else {
                    let (own, mirrored) = try products(tile)
                    add(tile, own, mirrored)
                    continue
                }
                let row = kept.slice(place..<place + 1).reshaped(rows: 2 * Self.side, columns: k)
                let mirrored = tile.rows == tile.columns ? nil : row.slice(Self.side..<Self.side + tile.columns.count)
                add(tile, row.slice(0..<tile.rows.count), mirrored)
            }
            return result
        }
    }

    /// Nil if the tiles are as soon computed again.
    private func keeper(of tiles: any TileExecutor, _ points: KernelPoints) -> (any BlockKeeper)? {
        let pairs = Double(points.x.rows) * Double(points.x.rows) / 2
        return tiles.keeper.flatMap { $0.isWorthwhile(pairs: pairs, operationsPerPair: kernel.operationsPerPair) ? $0 : nil }
    }

    /// Tiles of the upper triangle, row by row.
    private static func grid(_ points: KernelPoints) -> [Tile] {
        let n = points.x.rows
        let blocks = stride(from: 0, to: n, by: side).map { $0..<min($0 + side, n) }
        return blocks.indices.flatMap { row in blocks[row...].map { Tile(rows: blocks[row], columns: $0) } }
    }

    /// Exponents of rows with which float32 has the kernel in range.
    private static let tame = -40...40

    /// D K D in float32; the kernel in float64 before where its scale asks for that.
    private func block(
        _ points: KernelPoints, _ rows: Range<Int>, _ columns: Range<Int>, _ scaling: UnitScaling, on tiles: any TileExecutor
    ) throws -> Matrix<Float> {
        let (left, right) = (points.rows(rows), rows == columns ? nil : points.rows(columns))
        if scaling.isIdentity { return try kernel.entries(kind, left, right, on: tiles) }
        let factors = scaling.factors
        if scaling.exponents.allSatisfy(Self.tame.contains) {
            let values: Matrix<Float> = try kernel.entries(kind, left, right, on: tiles)
            let (own, others) = (rows.map { Float(factors[$0]) }, columns.map { Float(factors[$0]) })
            for row in 0..<rows.count {
                for column in 0..<columns.count { unsafe values.base[row * columns.count + column] *= own[row] * others[column] }
            }
            return values
        }
        let values: Matrix<Double> = try kernel.entries(kind, left, right, on: tiles)
        let result = Matrix<Float>(uninitializedRows: rows.count, columns: columns.count)
        for row in 0..<rows.count {
            for column in 0..<columns.count {
                let index = row * columns.count + column
                unsafe result.base[index] = Float(values.base[index] * factors[rows.lowerBound + row] * factors[columns.lowerBound + column])
            }
        }
        return result
    }

    private func checked<Result>(_ make: () throws -> Result) throws -> Result {
        do {
            return try make()
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x_train", "x_train"))
        }
    }
}
