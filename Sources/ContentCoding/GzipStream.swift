internal import ComputeExecutor
internal import Locks

/// Codes content as it is sent, on a worker unless there is little of it.
struct GzipStream: Sendable {
    /// Shorter pieces are coded where they are: some tenths of a millisecond.
    private static let smallOctets = 16 * 1024

    private let executor: ComputeExecutor
    private let writer: Shared<GzipWriter>
    private let hasEnded = Shared(false)

    /// Nil without memory.
    init?(executor: ComputeExecutor, level: Int32) {
        guard let writer = GzipWriter(level: level) else { return nil }
        self.executor = executor
        self.writer = Shared(writer)
    }

    /// What `content` adds.
    func write(_ content: ArraySlice<UInt8>, isLast: Bool) async throws -> [UInt8] {
        let writer = writer
        if content.count <= Self.smallOctets { return writer.lock.withLock { $0.write(content, isLast: isLast) } }
        return try await executor.run { _ in writer.lock.withLock { $0.write(content, isLast: isLast) } }
    }

    /// The next piece that is not empty, from as many pieces of content as it takes; nil after the end.
    func next(_ source: @Sendable () async throws -> [UInt8]?) async throws -> [UInt8]? {
        if hasEnded.lock.withLock({ $0 }) { return nil }
        while let content = try await source() {
            let piece = try await write(content[...], isLast: false)
            if !piece.isEmpty { return piece }
        }
        hasEnded.lock.withLock { $0 = true }
        return try await write([], isLast: true)
    }
}
