internal import Jobs
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// A kernel matrix block by block into a file. An entry depends, bit for bit, on its two points only, so that the blocks are what the whole
/// would be.
extension KernelRequest: BlockwiseTask {
    func answer(in run: JobRun, on tiles: any TileExecutor) throws -> ComputedAnswer? {
        guard !diagonal else { return nil }
        do {
            return precision == .float64 ? try blocks(run, Double.self, tiles) : try blocks(run, Float.self, tiles)
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x1", "x2"))
        }
    }

    private func blocks<Element: KernelScalar & AnswerElement>(_ run: JobRun, _: Element.Type, _ tiles: any TileExecutor) throws -> ComputedAnswer {
        let (rows, columns, isSymmetric) = (x1.rows, x2?.rows ?? x1.rows, x2 == nil)
        let first = KernelPoints(x: x1, pattern: patterns?.x1)
        let second = x2.map { KernelPoints(x: $0, pattern: patterns?.x2) }
        let side = run.side(operationsPerPair: kernel.operationsPerPair)
        let grid = TileGrid(rows: rows, columns: columns, side: side, upperOnly: isSymmetric)
        let files = try kinds.indices.map { try run.array($0, shape: [rows, columns], isFloat32: precision == .float32) }
        let matrices = files.map { $0.matrix(as: Element.self) }
        let log = try run.blocks(
            plan: "kernel \(kinds.map(\.rawValue)) \(precision) \(rows) by \(columns)\(isSymmetric ? " symmetric" : "") in blocks of \(side)",
            count: grid.tiles.count, in: files, places: { grid.tiles[$0].places(mirrored: isSymmetric) })
        try run.computeResult(log, in: files) { block in
            let tile = grid.tiles[block]
            let result: Kernels<Matrix<Element>> = try kernel.block(tile, kinds: Set(kinds), first, second, on: tiles)
            for (kind, matrix) in zip(kinds, matrices) {
                guard let own = result[kind] else { continue }
                matrix.store(own.storage, stride: own.columns, tile: tile, mirrored: isSymmetric)
            }
        }

        var body = Answer()
        for (kind, file) in zip(kinds, files) { body.append(kind.rawValue, .array(file.output)) }
        body.append(shape: [rows, columns], precision)
        // Blocks may have been computed before the server was last started; the estimate follows from the points alone.
        if kernel.isNumerical {
            let points = [(x1, patterns?.x1)] + (x2.map { [($0, patterns?.x2)] } ?? [])
            body.append(
                errorEstimate: try points.reduce(0) { worst, set in
                    max(worst, try kernel.diagonals(set.0, patterns: set.1, kinds: Set(kinds), as: Element.self, on: tiles).errorEstimate)
                })
        }
        var answer = ComputedAnswer(body)
        answer.storedArrays = files.count
        return answer
    }
}

extension KernelError {
    /// As the whole matrix would tell what a tile of it told.
    func ofWhole(_ tile: Tile, isAmongOneSet: Bool) -> KernelError {
        if case .pairOverflow(let first, let second, let isWithin, let precision) = self {
            // Within a tile on the diagonal both are rows of it.
            return .pairOverflow(
                first: first + tile.rows.lowerBound, second: second + (isWithin ? tile.rows : tile.columns).lowerBound, isAmongOneSet: isAmongOneSet,
                precision: precision)
        }
        guard case .overflow(let set, let point, let precision) = self else { return self }
        let isFirst = set == "x1"
        return .overflow(
            set: isFirst || isAmongOneSet ? "x1" : "x2", point: point + (isFirst ? tile.rows.lowerBound : tile.columns.lowerBound),
            precision: precision)
    }
}
