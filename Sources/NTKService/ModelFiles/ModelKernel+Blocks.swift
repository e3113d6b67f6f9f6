internal import FiniteNetworks
internal import Jobs
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Kernels of networks from files, block by block of pairs of points into files, each kept as soon as it is finished.
extension ModelKernel: BlockwiseTask {
    /// Operations of a block: some ten seconds, in which passing its points through the network again does not count for much.
    private static var blockOperations: Double { 1e12 }

    /// Points on a side of a block.
    private var side: Int {
        func operations(_ side: Int) -> Double {
            let question = asked.question(rows: 0..<side, columns: 0..<side, isSquare: false)
            return (try? compiled.program.cost(side, side, question, blockBytes: ModelPasses.blockBytes).operations) ?? 0
        }
        var side = max(x1.count, x2?.count ?? 0)
        while side > 1, operations(side) > Self.blockOperations { side = (side + 1) / 2 }
        return side
    }

    func answer(in run: JobRun, on tiles: any TileExecutor) throws -> ComputedAnswer? {
        guard kinds.contains(.ntk) else { return nil }
        return try answer(in: run, side: side, on: tiles)
    }

    /// Nil where one block is all.
    func answer(in run: JobRun, side: Int, on tiles: any TileExecutor) throws -> ComputedAnswer? {
        let (rows, columns) = (x1.count, x2?.count ?? x1.count)
        let grid = TileGrid(rows: rows, columns: columns, side: side, upperOnly: x2 == nil)
        guard grid.tiles.count > 1 else { return nil }
        let entries = asked.pairShape.reduce(1, *)
        // In the order of the answer.
        var files: [ArrayFile] = []
        func matrix() throws -> Matrix<F> {
            files.append(try run.array(files.count, shape: [rows] + rowShape, isFloat32: precision == .float32))
            return files[files.count - 1].matrix(as: F.self)
        }
        var results = Results()
        var blockFiles: [ArrayFile] = []
        for kind in kinds {
            switch kind {
            case .nngp: results.nngp = try matrix()
            case .ntk:
                results.ntk = try matrix()
                if !asked.question.isLayerwise { blockFiles = [files[files.count - 1]] }
                for name in asked.question.isLayerwise ? asked.question.parameters ?? [] : [] {
                    results.shares.append((name, try matrix()))
                    blockFiles.append(files[files.count - 1])
                }
            }
        }
        guard let total = results.ntk else { return nil }
        let isSymmetric = x2 == nil
        let log = try run.blocks(
            plan: "model \(kinds.map(\.rawValue)) \(asked.question.isLayerwise ? "layerwise " : "")\(precision) \([rows] + rowShape)"
                + "\(isSymmetric ? " symmetric" : "") in blocks of \(side)",
            count: grid.tiles.count, in: blockFiles,
            places: { grid.tiles[$0].places(mirrored: isSymmetric).map { $0.widened(by: entries) } })
        let targets = asked.question.isLayerwise ? results.shares.map(\.kernel) : [total]
        try run.computeResult(log, in: files) { try compute(grid.tiles[$0], targets, on: tiles) }
        if let nngp = results.nngp { nngp.assignElements(try self.nngp(on: tiles)) }
        if asked.question.isLayerwise { total.assignElements(sum(targets)) }
        results.byGrams = try compiled.checked(points: x1.field) { try compiled.program.byGrams(rows, x2?.count, asked.question) }
        for file in files { try file.synchronize() }
        var answer = ComputedAnswer(body(results))
        answer.storedArrays = files.count
        return answer
    }

    /// Writes a block to the kernel, or to each share.
    private func compute(_ tile: Tile, _ targets: [Matrix<F>], on tiles: any TileExecutor) throws {
        let isSquare = x2 == nil && tile.rows == tile.columns
        let first = x1.rows(Array(tile.rows))
        let second = isSquare ? nil : (x2 ?? x1).rows(Array(tile.columns))
        let question = asked.question(rows: tile.rows, columns: tile.columns, isSquare: isSquare)
        let kernel = try compiled.checked(points: x1.field) {
            try compiled.program.tangentKernel(first.inputs, second?.inputs, question, ModelPasses.context(tiles))
        }
        let (entries, width) = (asked.pairShape.reduce(1, *), tile.columns.count)
        // Of all pairs of outputs the mirrored entry is that of the outputs the other way round.
        let k = asked.pairShape.count == 2 ? asked.pairShape[0] : 1
        for (share, target) in zip(kernel.shares, targets) {
            let numbers = share.numbers
            defer { withExtendedLifetime((numbers, target)) {} }
            for index in 0..<numbers.count where unsafe !numbers.base[index].isFinite { throw compiled.overflow }
            for (i, row) in tile.rows.enumerated() {
                for (j, column) in tile.columns.enumerated() {
                    let source = unsafe numbers.base + (i * width + j) * entries
                    unsafe (target.base + row * target.columns + column * entries).update(from: source, count: entries)
                    guard x2 == nil, !isSquare else { continue }
                    let mirror = unsafe target.base + column * target.columns + row * entries
                    for entry in 0..<entries { unsafe mirror[k > 1 ? entry % k * k + entry / k : entry] = source[entry] }
                }
            }
        }
    }
}

extension ModelQuestion {
    /// The same of some of the points.
    fileprivate func question(rows: Range<Int>, columns: Range<Int>, isSquare: Bool) -> KernelQuestion {
        var question = question
        if let functional = question.functional {
            let labels1 = Array(functional.labels1[rows.clamped(to: functional.labels1.indices)])
            let labels2 = Array(functional.labels2[columns.clamped(to: functional.labels2.indices)])
            question.functional = (functional.kind, labels1, isSquare ? labels1 : labels2)
        }
        return question
    }
}
