internal import Jobs
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Empirical kernels block by block into files: the same blocks in which they are computed at once.
extension EmpiricalKernelRequest: BlockwiseTask {
    func answer(in run: JobRun, on tiles: any TileExecutor) throws -> ComputedAnswer? {
        do {
            return precision == .float64 ? try blocks(run, Double.self, tiles) : try blocks(run, Float.self, tiles)
        } catch let error as NetworkError {
            throw ProblemDetails(error, at: source.place)
        }
    }

    private func blocks<Element: AnswerElement>(_ run: JobRun, _: Element.Type, _ tiles: any TileExecutor) throws -> ComputedAnswer? {
        guard kinds.contains(.ntk) else { return nil }
        let kernel = try kernel(on: tiles)
        let blocks = EmpiricalKernel.Blocks<Element>(kernel, x1, x2, patterns: patterns, outputs: outputs, isLayerwise: isLayerwise)
        guard blocks.tiles.count > 1 else { return nil }
        // In the order of the answer.
        var files: [ArrayFile] = []
        func matrix() throws -> Matrix<Element> {
            files.append(try run.array(files.count, shape: [x1.rows] + rowShape, isFloat32: precision == .float32))
            return files[files.count - 1].matrix(as: Element.self)
        }
        var results: EmpiricalKernelEndpoint.Results<Element> = .init()
        for kind in kinds {
            switch kind {
            case .nngp: results.nngp = try matrix()
            case .ntk:
                results.ntk = try matrix()
                results.shares = try blocks.names.map { ($0, try matrix()) }
            }
        }
        guard let total = results.ntk else { return nil }
        // The total of shares is made of them at the end, and what is no kernel of parameters is computed then.
        let shareFiles = files.suffix(results.shares.count)
        let blockFiles = results.shares.isEmpty ? files.enumerated().filter { kinds[$0.offset] == .ntk }.map(\.element) : Array(shareFiles)
        let log = try run.blocks(
            plan: "empirical \(kinds.map(\.rawValue)) \(isLayerwise ? "layerwise " : "")\(precision) \([x1.rows] + rowShape)"
                + "\(x2 == nil ? " symmetric" : "") in blocks of \(blocks.side)",
            count: blocks.tiles.count, in: blockFiles, places: blocks.places)
        let shares = results.shares.map(\.kernel)
        try run.computeResult(log, in: files) { try blocks.compute($0, total: total, shares: shares, on: tiles) }
        // All of the rest takes as long as one of many blocks.
        if let nngp = results.nngp {
            nngp.assignElements(try kernel.nngp(x1, x2, patterns: patterns, outputs: outputs, as: Element.self, on: tiles))
        }
        try blocks.complete(total: total, shares: shares)
        for file in files { try file.synchronize() }
        var answer = ComputedAnswer(EmpiricalKernelEndpoint.body(self, results))
        answer.storedArrays = files.count
        return answer
    }
}
