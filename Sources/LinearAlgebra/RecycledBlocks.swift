internal import Glibc
internal import Locks

/// Large blocks of memory that were freed and are used again, in place of new ones from the system: to clear the pages of a new block takes as
/// long as to compute the kernel that goes into it.
///
/// What is kept is marked as free, so that the system takes it when it needs memory, and is then as new. Nothing is kept until `keep` says so.
///
/// A process may hold addresses for all blocks that it will ever have at the same time (`hold`). Where the system counts addresses as memory, because
/// it promises no more than it has or the process has a limit, it refuses at the start, and no block that there is room for is refused later.
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
    /// The addresses that are held.
    private static let held = Lock<AddressSpace?>(nil)

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
            guard let new = patiently({ map(wanted) }) else { preconditionFailure("\(bytes) bytes of memory, which were found to be there") }
            return (new, wanted)
        }
        // What lies idle behind it takes no memory.
        let end = unsafe UnsafeMutableRawPointer(bitPattern: found.address + UInt(wanted))
        if found.bytes > wanted { _ = unsafe madvise(end, found.bytes - wanted, MADV_DONTNEED) }
        return (found.address, found.bytes)
    }

    /// Whether the system would give so many bytes now: it may refuse what its own limits, or those of the process, do not allow.
    package static func areThere(_ bytes: Int) -> Bool {
        if held.withLock({ $0?.freeBytes ?? 0 }) >= bytes { return true }
        let (size, overflow) = bytes.addingReportingOverflow(pageBytes)
        guard !overflow, size > 0, let start = addresses(size) else { return false }
        release(start, size)
        return true
    }

    /// Holds addresses for blocks of this many bytes together, and for more where they cost nothing: blocks of many sizes leave gaps.
    /// - Returns: whether there are as many.
    package static func hold(_ bytes: Int) -> Bool {
        for many in [4, 2, 1] {
            let (size, overflow) = bytes.multipliedReportingOverflow(by: many)
            let (whole, isTooMany) = size.addingReportingOverflow(2 * pageBytes)
            guard !overflow, !isTooMany, let start = aligned(whole / pageBytes * pageBytes, MAP_NORESERVE) else { continue }
            // As much again is left for what is not in blocks: bodies, texts, stacks.
            guard let rest = addresses(bytes, MAP_NORESERVE) else {
                release(start, whole / pageBytes * pageBytes)
                continue
            }
            release(rest, bytes)
            held.withLock { $0 = AddressSpace(start: start, bytes: whole / pageBytes * pageBytes) }
            return true
        }
        return false
    }

    /// What others free may be what is missing: they are given some seconds.
    private static func patiently(_ attempt: () -> UInt?) -> UInt? {
        for _ in 0..<1_000 {
            if let address = attempt() { return address }
            usleep(10_000)
        }
        return nil
    }

    /// Memory that is held, or of its own from the system; nil if there is none.
    private static func map(_ bytes: Int) -> UInt? {
        guard let block = held.withLock({ $0?.take(bytes) }) ?? aligned(bytes) else { return nil }
        // A wish: where it is refused, the memory is as good but for the time.
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: block), bytes, MADV_HUGEPAGE)
        return block
    }

    /// Memory that begins with a large page: the allocator would keep it in the heap of one thread.
    private static func aligned(_ bytes: Int, _ flags: Int32 = 0) -> UInt? {
        guard let start = addresses(bytes + pageBytes, flags) else { return nil }
        let aligned = (start + UInt(pageBytes) - 1) / UInt(pageBytes) * UInt(pageBytes)
        release(start, Int(aligned - start))
        release(aligned + UInt(bytes), Int(start + UInt(pageBytes) - aligned))
        return aligned
    }

    private static func addresses(_ bytes: Int, _ flags: Int32 = 0) -> UInt? {
        let mapped = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
        let start = UInt(bitPattern: mapped)
        return start == UInt.max ? nil : start
    }

    /// Gives memory back to the system, but not its addresses where they are held.
    private static func unmap(_ address: UInt, _ bytes: Int) {
        guard held.withLock({ $0?.contains(address) ?? false }) else { return release(address, bytes) }
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: address), bytes, MADV_DONTNEED)
        held.withLock { $0?.putBack(address, bytes) }
    }

    private static func release(_ address: UInt, _ bytes: Int) {
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
