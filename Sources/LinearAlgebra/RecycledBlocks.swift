internal import Glibc
internal import Locks

/// Large blocks of memory that were freed and are used again, in place of new ones from the system: to clear the pages of a new block takes as
/// long as to compute the kernel that goes into it.
///
/// What is kept is marked as free, so that the system takes it when it needs memory, and is then as new. Nothing is kept until `keep` says so.
package enum RecycledBlocks {
    /// Blocks from this size on, in whole pages of 2 MiB: touched for the first time, memory in such pages costs half as much.
    static var leastBytes: Int { 8 << 20 }
    static var pageBytes: Int { 2 << 20 }

    private struct Block {
        var address: UInt
        var bytes: Int
    }

    private struct Kept {
        var capacity = 0
        /// The oldest first.
        var blocks: [Block] = []
        var bytes = 0

        mutating func remove(at index: Int) -> Block {
            bytes -= blocks[index].bytes
            return blocks.remove(at: index)
        }
    }

    private static let kept = Lock(Kept())

    /// Keeps freed blocks of this many bytes together at the most.
    package static func keep(upTo bytes: Int) {
        limit(to: bytes)
        trim()
    }

    /// The same for what is freed from now on; `trim` gives back what is too much.
    package static func limit(to bytes: Int) { kept.withLock { $0.capacity = max(bytes, 0) } }

    /// Bytes that are kept.
    package static var keptBytes: Int { kept.withLock { $0.bytes } }

    /// A block of at least `bytes`, and how many it has; what is in it is of no meaning.
    static func allocate(_ bytes: Int) -> (address: UInt, bytes: Int) {
        let wanted = (bytes + pageBytes - 1) / pageBytes * pageBytes
        let found: Block? = kept.withLock { kept in
            // The smallest that is large enough, unless a ninth of it would lie idle.
            let index = kept.blocks.indices.filter { wanted...(wanted + wanted / 8) ~= kept.blocks[$0].bytes }
                .min { kept.blocks[$0].bytes < kept.blocks[$1].bytes }
            return index.map { kept.remove(at: $0) }
        }
        guard let found else {
            if let new = map(wanted) { return (new, wanted) }
            // What lies idle may be what is missing.
            let capacity = kept.withLock { $0.capacity }
            keep(upTo: 0)
            keep(upTo: capacity)
            guard let new = map(wanted) else { preconditionFailure("\(bytes) bytes of memory, which were found to be there") }
            return (new, wanted)
        }
        // What lies idle behind it takes no memory.
        let end = unsafe UnsafeMutableRawPointer(bitPattern: found.address + UInt(wanted))
        if found.bytes > wanted { _ = unsafe madvise(end, found.bytes - wanted, MADV_DONTNEED) }
        return (found.address, found.bytes)
    }

    /// Whether the system would give so many bytes now: it may refuse what its own limits, or those of the process, do not allow.
    package static func areThere(_ bytes: Int) -> Bool {
        let (size, overflow) = bytes.addingReportingOverflow(pageBytes)
        guard !overflow, size > 0 else { return false }
        let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = UInt(bitPattern: mapped)
        guard start != UInt.max else { return false }
        unmap(start, size)
        return true
    }

    /// Memory of its own from the system; nil if it has none. It begins with a large page: the allocator would keep it in the heap of one thread.
    private static func map(_ bytes: Int) -> UInt? {
        let mapped = unsafe mmap(nil, bytes + pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = UInt(bitPattern: mapped)
        guard start != UInt.max else { return nil }
        let aligned = (start + UInt(pageBytes) - 1) / UInt(pageBytes) * UInt(pageBytes)
        unmap(start, Int(aligned - start))
        unmap(aligned + UInt(bytes), Int(start + UInt(pageBytes) - aligned))
        // A wish: where it is refused, the memory is as good but for the time.
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: aligned), bytes, MADV_HUGEPAGE)
        return aligned
    }

    private static func unmap(_ address: UInt, _ bytes: Int) {
        guard bytes > 0, let memory = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
        _ = unsafe munmap(memory, bytes)
    }

    /// Takes back a block that came from `allocate`.
    static func free(_ address: UInt, _ bytes: Int) {
        let isKept = kept.withLock { $0.capacity >= bytes }
        guard isKept else { return unmap(address, bytes) }
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: address), bytes, MADV_FREE)
        kept.withLock {
            $0.blocks.append(Block(address: address, bytes: bytes))
            $0.bytes += bytes
        }
        trim()
    }

    /// Gives the oldest blocks back to the system as long as there are too many.
    package static func trim() {
        while let oldest = kept.withLock({ $0.bytes > $0.capacity ? $0.remove(at: 0) : nil }) { unmap(oldest.address, oldest.bytes) }
    }
}
