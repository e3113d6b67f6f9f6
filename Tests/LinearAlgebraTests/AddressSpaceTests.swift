import LinearAlgebra
import TestSupport
import Testing

@Suite("Addresses that are held")
struct AddressSpaceTests {
    private static let start: UInt = 1 << 30

    @Test("Blocks never meet, and what is put back is joined to one gap", arguments: 0..<20 as Range<UInt64>)
    func blocks(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var space = AddressSpace(start: Self.start, bytes: 10_000)
        var blocks: [(start: UInt, bytes: Int)] = []
        for _ in 0..<2_000 {
            if blocks.isEmpty || random.next() % 5 < 3 {
                let bytes = Int(random.next() % 900) + 1
                guard let block = space.take(bytes) else { continue }
                #expect(space.contains(block) && space.contains(block + UInt(bytes) - 1))
                #expect(blocks.allSatisfy { block + UInt(bytes) <= $0.start || $0.start + UInt($0.bytes) <= block })
                blocks.append((block, bytes))
            } else {
                let block = blocks.remove(at: Int(random.next() % UInt64(blocks.count)))
                space.putBack(block.start, block.bytes)
            }
            #expect(space.freeBytes == 10_000 - blocks.reduce(0) { $0 + $1.bytes })
        }
        for block in blocks { space.putBack(block.start, block.bytes) }
        #expect(space.take(10_001) == nil && space.take(10_000) == Self.start && space.take(1) == nil)
    }

    @Test("A block comes out of the smallest gap that holds it")
    func smallest() {
        var space = AddressSpace(start: Self.start, bytes: 100)
        let places = [20, 1, 10, 1].map { space.take($0) }
        for (place, bytes) in [(places[0], 20), (places[2], 10)] { space.putBack(place ?? 0, bytes) }
        #expect(space.take(10) == places[2] && space.take(10) == places[0])
        #expect(!space.contains(Self.start - 1) && !space.contains(Self.start + 100))
    }
}
