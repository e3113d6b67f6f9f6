internal import ArtifactStore
package import LinearAlgebra
internal import Locks

// What is computed in blocks, each of which is kept: the arrays of the result, and matrices on the way to it.
extension JobRun {
    /// The blocks of a result that is divided as `plan` says.
    /// - Parameters:
    ///   - arrays: those that the blocks are written into.
    ///   - numbers: holds a number of each block, see `numbers(of:)`.
    ///   - places: what a block writes of each array, as a matrix of as many rows as the first extent, and nothing changes later.
    package func blocks(
        plan: String, count: Int, in arrays: [ArrayFile], numbers: ArrayFile? = nil, places: @escaping @Sendable (Int) -> [Tile]
    ) throws -> BlockLog {
        try BlockLog(path("blocks"), plan: plan, count: count) { block in
            // Of several arrays the checksum is that of their checksums.
            let sums = arrays.map { $0.checksum(places(block)) } + (numbers.map { [$0.checksum([Tile(row: block, columns: 1)])] } ?? [])
            return sums.count == 1 ? sums[0] : unsafe FileSums.crc32(sums.span.bytes)
        }
    }

    /// A number of each block of the result that is no part of the answer, and is kept as the blocks are.
    package func numbers(of count: Int) throws -> ArrayFile {
        try ArrayFile.open(path("work-numbers.npy"), shape: [count], isFloat32: false)
    }

    /// Computes the blocks of the result that are left, and brings its arrays to the disk.
    package func computeResult(_ log: BlockLog, in files: [ArrayFile], _ compute: (Int) throws -> Void) throws {
        let (start, before) = (ContinuousClock.now, log.count - log.left.count)
        if before > 0 { report(Double(before) / Double(log.count), etaSeconds: nil) }
        try computeLeft(of: log, in: files, compute) { done in
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            report(Double(done) / Double(log.count), etaSeconds: seconds * Double(log.count - done) / Double(max(done - before, 1)))
        }
        // Days may have gone by since the first of them was written.
        try computeAgain(log.damagedBlocks(), of: log, in: files, compute)
    }

    /// Blocks that were damaged since they were finished.
    private func computeAgain(_ blocks: [Int], of log: BlockLog, in files: [ArrayFile], _ compute: (Int) throws -> Void) throws {
        guard !blocks.isEmpty else { return }
        for block in blocks {
            try compute(block)
            _ = try log.finish(block, in: files)
        }
        try log.flush(files)
    }

    private func computeLeft(
        of log: BlockLog, in files: [ArrayFile], _ compute: (Int) throws -> Void, finished: (_ count: Int) -> Void = { _ in }
    ) throws {
        guard !log.left.isEmpty else { return }
        do {
            for block in log.left {
                try compute(block)
                let (done, areEntered) = try log.finish(block, in: files)
                finished(done)
                if areEntered { keptSomething() }
            }
        } catch {
            // The server ends, or the job was cancelled.
            if (try? log.flush(files)) != nil { keptSomething() }
            throw error
        }
        try log.flush(files)
        keptSomething()
    }
}

extension JobRun: BlockKeeper {
    /// Some tenths of a second.
    package var blockOperations: Double { 1.6e10 }

    package func matrix<Element: Scalar>(
        _ name: String, plan: String, inputs: [Matrix<Double>], rows: Int, columns: Int, blocks: Int, as _: Element.Type,
        places: @escaping @Sendable (_ block: Int) -> [Tile], compute: (_ block: Int, _ matrix: Matrix<Element>) throws -> Void
    ) throws -> Matrix<Element>? {
        var file = name
        if !inputs.isEmpty {
            var hash = ContentHash()
            for input in inputs { input.withElements { unsafe hash.update($0.bytes) } }
            file += "-\(hash.finish())"
        }
        let isFloat32 = MemoryLayout<Element>.size == 4
        guard let array = try workArray(file, shape: [rows, columns], isFloat32: isFloat32) else { return nil }
        let log = try BlockLog(
            path("work-\(file).blocks"), plan: "\(plan), \(rows) by \(columns), \(isFloat32 ? "float32" : "float64")", count: blocks
        ) { array.checksum(places($0)) }
        mapped.withLock { mapped in mapped = mapped.filter { $0.file != nil } + [Mapped(file: array)] }
        let matrix = array.matrix(as: Element.self)
        try computeLeft(of: log, in: [array]) { block in try compute(block, matrix) }
        return matrix
    }

    package func giveBack() {
        for file in mapped.withLock({ $0.compactMap(\.file) }) { file.giveBack() }
    }

    /// Nil if there is no room.
    private func workArray(_ name: String, shape: [Int], isFloat32: Bool) throws -> ArrayFile? {
        let path = path("work-" + name)
        // Of an array that is made anew nothing is finished.
        if !Files.exists(path + ".npy"), Files.exists(path + ".blocks") { try Files.remove(path + ".blocks") }
        let bytes = shape.reduce(isFloat32 ? 4 : 8, *)
        let others = try store.workBytes(id, place) - (Files.size(path + ".npy") ?? 0)
        guard bytes <= workBytes - others else { return nil }
        do {
            return try ArrayFile.open(path + ".npy", shape: shape, isFloat32: isFloat32)
        } catch {
            // The disk is full, as it seems: the work can be done without.
            for file in [".blocks", ".npy"] where Files.exists(path + file) { try Files.remove(path + file) }
            return nil
        }
    }
}
