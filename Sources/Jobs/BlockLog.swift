internal import ArtifactStore
internal import Glibc
internal import Locks

/// Which blocks of a result are finished: a line that names the plan they belong to, then the number of each in four bytes.
///
/// A block is entered only when the arrays that hold it have been brought to the disk, which is done now and then; what was finished since is
/// done again after a crash.
package final class BlockLog: Sendable {
    private struct State {
        /// Finished, and not yet entered.
        var pending: [UInt32] = []
        var count: Int
        /// When the next blocks are entered.
        var due = ContinuousClock.now + BlockLog.shortest
        var isWriting = false
    }

    /// Between two visits to the disk at the least; they take a tenth of the time at the most.
    private static let shortest = Duration.milliseconds(250)

    /// Blocks that are not finished, in order.
    package let left: [Int]
    package let count: Int
    private let descriptor: Int32
    private let path: String
    private let state: Lock<State>

    /// - Parameter plan: names how the result is divided; what was finished by another plan counts for nothing.
    init(_ path: String, plan: String, count: Int) throws(ArtifactStoreError) {
        let header = Array((plan + "\n").utf8)
        let bytes = try Files.read(path) ?? []
        var done = [Bool](repeating: false, count: count)
        let isOurs = bytes.starts(with: header)
        let numbers = isOurs ? (bytes.count - header.count) / 4 : 0
        for entry in 0..<numbers {
            let start = header.count + 4 * entry
            let block = (0..<4).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
            if block < count { done[block] = true }
        }
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Files.failure("open", path) }
        // Half an entry may stand at the end.
        let size = header.count + 4 * numbers
        guard ftruncate(descriptor, isOurs ? size : 0) == 0, unsafe isOurs || pwrite(descriptor, header, header.count, 0) == header.count,
            lseek(descriptor, size, SEEK_SET) == size
        else {
            let failure = Files.failure("write", path)
            close(descriptor)
            throw failure
        }
        self.path = path
        self.descriptor = descriptor
        self.count = count
        left = done.indices.filter { !done[$0] }
        state = Lock(State(count: count - left.count))
    }

    deinit { close(descriptor) }

    /// Tells that a block stands in `arrays`.
    /// - Returns: how many are finished, and whether they are all entered.
    package func finish(_ block: Int, in arrays: [ArrayFile]) throws -> (count: Int, areEntered: Bool) {
        let (count, isDue) = state.withLock { state in
            state.pending.append(UInt32(block))
            state.count += 1
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

    private func enter(_ arrays: [ArrayFile]) throws {
        let pending = state.withLock { state in
            defer { state.pending = [] }
            return state.pending
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
        let bytes = pending.flatMap { block in (0..<4).map { UInt8(truncatingIfNeeded: block >> (8 * $0)) } }
        guard unsafe write(descriptor, bytes, bytes.count) == bytes.count, fdatasync(descriptor) == 0 else { throw Files.failure("write", path) }
    }
}
