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
        // Blocks may have been computed before the server was last started: their estimates are kept beside them.
        let numbers = kernel.hasEstimates ? try run.numbers(of: grid.tiles.count) : nil
        let estimates = numbers?.matrix(as: Double.self)
        let log = try run.blocks(
            plan: "kernel \(kinds.map(\.rawValue)) \(precision) \(rows) by \(columns)\(isSymmetric ? " symmetric" : "") in blocks of \(side)",
            count: grid.tiles.count, in: files, numbers: numbers, places: { grid.tiles[$0].places(mirrored: isSymmetric) })
        try run.computeResult(log, in: files + (numbers.map { [$0] } ?? [])) { block in
            let tile = grid.tiles[block]
            let result: Kernels<Matrix<Element>> = try kernel.block(tile, kinds: Set(kinds), first, second, on: tiles)
            for (kind, matrix) in zip(kinds, matrices) {
                guard let values = result[kind] else { continue }
                matrix.store(values.storage, stride: values.columns, tile: tile, mirrored: isSymmetric)
            }
            if let estimates { unsafe estimates.base[block] = result.errorEstimate }
        }

        var body = Answer()
        for (kind, file) in zip(kinds, files) { body.append(kind.rawValue, .array(file.output)) }
        body.append(shape: [rows, columns], precision)
        if let estimates { body.append(errorEstimate: (0..<estimates.rows).reduce(0) { max($0, estimates[$1, 0]) }) }
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
        func whole(_ set: String, _ point: Int) -> (set: String, point: Int) {
            let isFirst = set == "x1"
            return (isFirst || isAmongOneSet ? "x1" : "x2", point + (isFirst ? tile.rows.lowerBound : tile.columns.lowerBound))
        }
        switch self {
        case .overflow(let set, let point, let precision):
            let whole = whole(set, point)
            return .overflow(set: whole.set, point: whole.point, precision: precision)
        case .underflow(let set, let point):
            let whole = whole(set, point)
            return .underflow(set: whole.set, point: whole.point)
        case .featuresDiffer, .pairOverflow: return self
        }
    }
}
