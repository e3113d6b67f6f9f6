/// A range of addresses that the system gave, of which blocks are cut and put back: what is there cannot be refused later.
///
/// A block comes out of the smallest gap that holds it, and joins its neighbours when it is put back.
package struct AddressSpace {
    private struct Gap {
        var start: UInt
        var bytes: Int
        var end: UInt { start + UInt(bytes) }
    }

    private let whole: Range<UInt>
    /// In order, none beside another.
    private var gaps: [Gap]
    /// Bytes that are in no block.
    package private(set) var freeBytes: Int

    package init(start: UInt, bytes: Int) {
        whole = start..<start + UInt(bytes)
        gaps = [Gap(start: start, bytes: bytes)]
        freeBytes = bytes
    }

    package func contains(_ address: UInt) -> Bool { whole.contains(address) }

    /// The start of a block; nil where no gap is so large.
    package mutating func take(_ bytes: Int) -> UInt? {
        guard let index = gaps.indices.filter({ gaps[$0].bytes >= bytes }).min(by: { gaps[$0].bytes < gaps[$1].bytes }) else { return nil }
        let start = gaps[index].start
        gaps[index] = Gap(start: start + UInt(bytes), bytes: gaps[index].bytes - bytes)
        if gaps[index].bytes == 0 { gaps.remove(at: index) }
        freeBytes -= bytes
        return start
    }

    package mutating func putBack(_ start: UInt, _ bytes: Int) {
        var gap = Gap(start: start, bytes: bytes)
        var index = gaps.firstIndex { $0.start > start } ?? gaps.count
        if index < gaps.count, gaps[index].start == gap.end { gap.bytes += gaps.remove(at: index).bytes }
        if index > 0, gaps[index - 1].end == start {
            index -= 1
            let before = gaps.remove(at: index)
            gap = Gap(start: before.start, bytes: before.bytes + gap.bytes)
        }
        gaps.insert(gap, at: index)
        freeBytes += bytes
    }
}
