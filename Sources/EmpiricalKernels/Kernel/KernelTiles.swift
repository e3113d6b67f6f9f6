import LinearAlgebra

/// A kernel between two blocks of points while it is summed, in tiles that fit the cache; of a symmetric one the upper half.
///
/// A tile's plane is [rows, columns] for a trace, [outputs, rows, columns] for a diagonal, and [rows · outputs, columns · outputs] for a full
/// block, which is the form in which a GEMM gives it.
struct KernelTiles<Element: Scalar>: Sendable {
    let form: OutputSelection.Form
    let outputs: Int
    let isSymmetric: Bool
    let tiles: [Tile]
    let planes: [Storage<Element>]

    init(rows: Int, columns: Int, isSymmetric: Bool, form: OutputSelection.Form, outputs: Int) {
        self.form = form
        self.outputs = outputs
        self.isSymmetric = isSymmetric
        let side = Self.side(form, outputs)
        tiles = TileGrid(rows: rows, columns: columns, side: side, upperOnly: isSymmetric).tiles
        planes = tiles.map { Storage(zeros: $0.rows.count * $0.columns.count * Self.entries(form, outputs)) }
    }

    /// Points on a side of a tile.
    static func side(_ form: OutputSelection.Form, _ outputs: Int) -> Int {
        form == .full ? max(1, 256 / outputs) : 128
    }

    /// Numbers for a pair of points.
    static func entries(_ form: OutputSelection.Form, _ outputs: Int) -> Int {
        switch form {
        case .trace: 1
        case .diagonal: outputs
        case .full: outputs.multipliedClamped(by: outputs)
        }
    }

    /// Adds to each tile in turn, on as many threads as there are.
    func forEach(on executor: any TileExecutor, _ body: @escaping @Sendable (Tile, Storage<Element>) -> Void) throws {
        try executor.forEach(tiles.count) { [tiles, planes] index in body(tiles[index], planes[index]) }
    }

    /// K += alpha · G1 G2ᵀ over per-example gradients G [points, outputs, width]; a trace may be summed over some outputs at a time.
    func addGram(
        _ first: Storage<Element>, _ second: Storage<Element>, outputs: Int, width: Int, alpha: Element, on executor: any TileExecutor
    ) throws {
        let form = form
        let stride = outputs * width
        try forEach(on: executor) { tile, plane in
            let (rows, columns) = (tile.rows.count, tile.columns.count)
            let left = unsafe first.base + tile.rows.lowerBound * stride
            let right = unsafe second.base + tile.columns.lowerBound * stride
            switch form {
            case .trace:
                unsafe Element.gemmTransposed(rows, columns, stride, alpha: alpha, left, stride, right, stride, beta: 1, plane.base, columns)
            case .diagonal:
                for output in 0..<outputs {
                    unsafe Element.gemmTransposed(
                        rows, columns, width, alpha: alpha, left + output * width, stride, right + output * width, stride, beta: 1,
                        plane.base + output * rows * columns, columns)
                }
            case .full:
                unsafe Element.gemmTransposed(
                    rows * outputs, columns * outputs, width, alpha: alpha, left, width, right, width, beta: 1, plane.base, columns * outputs)
            }
        }
    }

    /// Writes the sums, times a factor, to a kernel [points, columns · entries] at the place of the two blocks, and mirrors a symmetric one.
    func store(_ kernel: Matrix<Element>, at origin: (row: Int, column: Int), factor: Element, mirrored: Bool, on executor: any TileExecutor) throws {
        let entries = Self.entries(form, outputs)
        let (form, outputs, isSymmetric) = (form, outputs, isSymmetric)
        try forEach(on: executor) { tile, plane in
            let (rows, columns) = (tile.rows.count, tile.columns.count)
            let onDiagonal = isSymmetric && tile.rows.lowerBound == tile.columns.lowerBound
            for row in 0..<rows {
                for column in (onDiagonal ? row : 0)..<columns {
                    let (i, j) = (origin.row + tile.rows.lowerBound + row, origin.column + tile.columns.lowerBound + column)
                    let target = unsafe kernel.base + i * kernel.columns + j * entries
                    let mirror = unsafe kernel.base + j * kernel.columns + i * entries
                    switch form {
                    case .trace:
                        let value = unsafe factor * plane.base[row * columns + column]
                        unsafe target[0] = value
                        if mirrored { unsafe mirror[0] = value }
                    case .diagonal:
                        for output in 0..<outputs {
                            let value = unsafe factor * plane.base[(output * rows + row) * columns + column]
                            unsafe target[output] = value
                            if mirrored { unsafe mirror[output] = value }
                        }
                    case .full:
                        for own in 0..<outputs {
                            let source = unsafe plane.base + (row * outputs + own) * columns * outputs + column * outputs
                            for other in (onDiagonal && row == column ? own : 0)..<outputs {
                                let value = unsafe factor * source[other]
                                unsafe target[own * outputs + other] = value
                                if mirrored { unsafe mirror[other * outputs + own] = value }
                            }
                        }
                    }
                }
            }
        }
    }
}
