import LinearAlgebra
import Testing

/// What is kept belongs to the whole process, so that these tests go one after another.
@Suite("Freed blocks used again", .serialized)
struct RecycledBlocksTests {
    private static let count = 3 << 20

    private func filled(_ count: Int, with value: Double) -> Storage<Double> {
        let storage = Storage<Double>(count: count)
        unsafe storage.base.initialize(repeating: value, count: count)
        return storage
    }

    @Test("Nothing is kept unless asked for")
    func nothing() {
        RecycledBlocks.keep(upTo: 0)
        _ = filled(Self.count, with: 1)
        #expect(RecycledBlocks.keptBytes == 0)
    }

    @Test("A block is kept in whole large pages, and found again by what needs as much")
    func again() {
        RecycledBlocks.keep(upTo: 1 << 30)
        defer { RecycledBlocks.keep(upTo: 0) }
        _ = filled(Self.count, with: 1)
        #expect(RecycledBlocks.keptBytes == 24 << 20)
        do {
            let next = filled(Self.count - 5, with: 2)
            #expect(RecycledBlocks.keptBytes == 0)
            #expect(unsafe next.base[next.count - 1] == 2 && UInt(bitPattern: next.base) % (2 << 20) == 0)
        }
        #expect(RecycledBlocks.keptBytes == 24 << 20)
        // Too small by far, and too large: memory of their own.
        let others = [filled(Self.count / 2, with: 3), filled(Self.count * 2, with: 4)]
        #expect(RecycledBlocks.keptBytes == 24 << 20 && others.count == 2)
    }

    @Test("Blocks in use at the same time are different ones")
    func apart() {
        RecycledBlocks.keep(upTo: 1 << 30)
        defer { RecycledBlocks.keep(upTo: 0) }
        for _ in 0..<3 {
            let blocks = (0..<3).map { filled(Self.count, with: Double($0)) }
            for (index, block) in blocks.enumerated() { #expect(block.elements.allSatisfy { $0 == Double(index) }) }
        }
        #expect(RecycledBlocks.keptBytes == 3 * 24 << 20)
    }

    @Test("No more is kept than was said, the newest first")
    func bound() {
        RecycledBlocks.keep(upTo: 40 << 20)
        defer { RecycledBlocks.keep(upTo: 0) }
        do { _ = (filled(Self.count, with: 1), filled(2 * Self.count, with: 2), filled(Self.count + (1 << 20), with: 3)) }
        #expect(RecycledBlocks.keptBytes <= 40 << 20 && RecycledBlocks.keptBytes > 0)
        RecycledBlocks.keep(upTo: 0)
        #expect(RecycledBlocks.keptBytes == 0)
    }
}
