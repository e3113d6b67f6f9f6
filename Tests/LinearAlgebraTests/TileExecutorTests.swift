import LinearAlgebra
import Locks
import Testing

struct TileExecutorTests {
    struct Fault: Error {}

    static let executors: [any TileExecutor] = [SerialTiles(), ConcurrentTiles()]

    @Test(arguments: [0, 1])
    func everyTileOnce(index: Int) throws {
        let seen = Lock([Int](repeating: 0, count: 100))
        try Self.executors[index].forEach(100) { tile in seen.withLock { $0[tile] += 1 } }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: 100))
    }

    @Test(arguments: [0, 1])
    func throwsTheError(index: Int) {
        #expect(throws: Fault.self) { try Self.executors[index].forEach(10) { if $0 == 3 { throw Fault() } } }
    }

    @Test func upperGridCoversTheTriangleOnce() {
        for n in [1, 5, 8, 9, 23] {
            var count = [Int](repeating: 0, count: n * n)
            for tile in TileGrid(rows: n, columns: n, side: 4, upperOnly: true).tiles {
                for row in tile.rows { for column in tile.columns { count[row * n + column] += 1 } }
            }
            for row in 0..<n { for column in row..<n { #expect(count[row * n + column] == 1) } }
        }
    }
}
