internal import ArtifactStore
internal import Glibc
internal import Locks

/// Which blocks of a result are finished: a line that names the plan they belong to, then of each its number and the checksum of what stands in
/// the arrays, in four bytes each.
///
/// A block is entered only when the arrays that hold it have been brought to the disk, which is done now and then; what was finished since is
/// done again after a crash, and so is what is not any more what was entered.
package final class BlockLog: Sendable {
    private struct Entry {
        var block: UInt32
        var sum: UInt32

        var bytes: [UInt8] { [block, sum].flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } } }
    }

    private struct State {
        /// Finished, and not yet entered.
        var pending: [Entry] = []
        var sums: [UInt32?]
        var count: Int
        /// Bytes of the file that count.
        var size: Int
        /// When the next blocks are entered.
        var due = ContinuousClock.now + BlockLog.shortest
        var isWriting = false
    }

    /// Between two visits to the disk at the least; they take a tenth of the time at the most.
    private static let shortest = Duration.milliseconds(250)
    private static let entryBytes = 8

    /// Blocks that are not finished, in order.
    package let left: [Int]
    package let count: Int
    private let descriptor: Int32
    private let path: String
    private let sum: @Sendable (Int) -> UInt32
    private let state: Lock<State>

    /// - Parameters:
    ///   - plan: names how the result is divided; what was finished by another plan counts for nothing.
    ///   - sum: the checksum of what the arrays hold of a block.
    init(_ path: String, plan: String, count: Int, sum: @escaping @Sendable (Int) -> UInt32) throws(ArtifactStoreError) {
        let header = Array((plan + ", checked\n").utf8)
        let bytes = try Files.read(path) ?? []
        let isOurs = bytes.starts(with: header)
        let numbers = isOurs ? (bytes.count - header.count) / Self.entryBytes : 0
        var entered = [UInt32?](repeating: nil, count: count)
        for entry in 0..<numbers {
            let start = header.count + Self.entryBytes * entry
            func number(_ start: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) } }
            // Of one that was done again the last entry counts.
            if let block = Int(exactly: number(start)), block < count { entered[block] = number(start + 4) }
        }
        for block in entered.indices where entered[block] != nil && entered[block] != sum(block) { entered[block] = nil }
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Files.failure("open", path) }
        // Half an entry may stand at the end.
        let size = header.count + Self.entryBytes * numbers
        guard ftruncate(descriptor, isOurs ? size : 0) == 0, unsafe isOurs || pwrite(descriptor, header, header.count, 0) == header.count else {
            let failure = Files.failure("write", path)
            close(descriptor)
            throw failure
        }
        self.path = path
        self.descriptor = descriptor
        self.count = count
        self.sum = sum
        left = entered.indices.filter { entered[$0] == nil }
        state = Lock(State(sums: entered, count: count - left.count, size: size))
    }

    deinit { close(descriptor) }

    /// Tells that a block stands in `arrays`.
    /// - Returns: how many are finished, and whether they are all entered.
    package func finish(_ block: Int, in arrays: [ArrayFile]) throws -> (count: Int, areEntered: Bool) {
        let sum = sum(block)
        let (count, isDue) = state.withLock { state in
            state.pending.append(Entry(block: UInt32(block), sum: sum))
            if state.sums[block] == nil { state.count += 1 }
            state.sums[block] = sum
            let isDue = !state.isWriting && ContinuousClock.now >= state.due
            if isDue { state.isWriting = true }
            return (state.count, isDue)
        }
        if isDue { try enter(arrays) }
        return (count, isDue)
    }

    /// Enters what is finished.
    package func flush(_ arrays: [ArrayFile]) throws {
        state.withLock { $0.isWriting = true }
        try enter(arrays)
    }

    /// Finished blocks that are not any more what they were.
    func damagedBlocks() -> [Int] {
        let sums = state.withLock { $0.sums }
        return sums.indices.filter { block in sums[block].map { $0 != sum(block) } ?? false }
    }

    private func enter(_ arrays: [ArrayFile]) throws {
        let (pending, size) = state.withLock { state in
            defer { state.pending = [] }
            return (state.pending, state.size)
        }
        let start = ContinuousClock.now
        defer {
            let now = ContinuousClock.now
            let due = now + max(Self.shortest, (now - start) * 9)
            state.withLock { state in
                state.isWriting = false
                state.due = due
            }
        }
        for array in arrays { try array.synchronize() }
        let bytes = pending.flatMap(\.bytes)
        // At its place: what a failure has left half written is written over.
        guard unsafe pwrite(descriptor, bytes, bytes.count, size) == bytes.count, fdatasync(descriptor) == 0 else {
            throw Files.failure("write", path)
        }
        state.withLock { $0.size += bytes.count }
    }
}
