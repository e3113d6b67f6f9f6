import Foundation
import LinearAlgebra
import Testing

@testable import Jobs

/// What is kept of a job that is not its result yet.
final class JobRunBlocksTests {
    let directory = NSTemporaryDirectory() + "job-blocks-" + UUID().uuidString
    let board: JobBoard
    let id = JobID.random()

    private struct Death: Error {}

    init() throws {
        board = try JobBoard(directory: directory)
        _ = try board.submit(id, target: "", contentType: "", fingerprint: "", requestID: "", request: [])
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func run(workBytes: Int = .max) throws -> JobRun {
        try JobRun(id, try #require(try board.manifest(id)), board.store, after: board.store.state(id), workBytes: workBytes)
    }

    /// Ten numbers, a block each; dies before block `last`.
    private func make(
        _ run: JobRun, _ name: String = "m", plan: String = "p", inputs: [Matrix<Double>] = [], upTo last: Int = 10
    ) throws -> (elements: [Double]?, computed: [Int]) {
        var computed: [Int] = []
        var matrix: Matrix<Double>?
        let places = { @Sendable (block: Int) in [Tile(rows: block / 2..<block / 2 + 1, columns: block % 2..<block % 2 + 1)] }
        do {
            matrix = try run.matrix(
                name, plan: plan, inputs: inputs, rows: 5, columns: 2, blocks: 10, as: Double.self, places: places
            ) { block, matrix in
                if block == last { throw Death() }
                matrix.storage.set(block, Double(block) + 0.5)
                computed.append(block)
            }
        } catch is Death {}
        return (matrix?.elements, computed)
    }

    private let all = (0..<10).map { Double($0) + 0.5 }

    @Test func theNextAttemptGoesOn() throws {
        let first = try run()
        #expect(first.isFirstAttempt)
        #expect(try make(first, upTo: 4) == (nil, [0, 1, 2, 3]))
        let second = try run()
        #expect(!second.isFirstAttempt)
        #expect(try make(second) == (all, [4, 5, 6, 7, 8, 9]))
        #expect(try make(run()) == (all, []))
        // Of another plan, name or input nothing is there; one with inputs leaves the others alone.
        let inputs = [Matrix<Double>(rows: 1, columns: 1, [1.0])]
        for _ in 0..<2 { #expect(try make(run(), "n").elements == all) }
        #expect(try make(run(), inputs: inputs) == (all, Array(0..<10)))
        #expect(try make(run(), inputs: [Matrix(rows: 1, columns: 1, [-1.0])]) == (all, Array(0..<10)))
        #expect(try make(run(), inputs: inputs) == (all, []))
        #expect(try make(run(), plan: "q") == (all, Array(0..<10)))
        #expect(try make(run()) == (all, Array(0..<10)))
    }

    /// An attempt begins where the last one left off: at what was kept, not at what was reported.
    @Test func progressGoesOn() throws {
        let first = try run()
        first.report(0.25, etaSeconds: nil)
        #expect(try make(first, upTo: 4).computed.count == 4)
        first.report(0.5, etaSeconds: nil)
        first.release()
        let second = try run()
        #expect(second.before == 0.25 && second.state.progress == 0.25 && second.state.status == .running)
        // The same where a server dies, as far as it was told; and an attempt that keeps nothing more loses nothing.
        let third = try run()
        #expect(third.state.progress == 0.25)
    }

    /// The blocks of a result tell how far it has come, also before one more is finished.
    @Test func finishedBlocksAreProgress() throws {
        func compute(_ run: JobRun, upTo last: Int, _ seen: inout [Double]) throws {
            let file = try run.array(0, shape: [10], isFloat32: false)
            do {
                try run.computeResult(run.blocks(plan: "p", count: 10, in: [file]) { [Tile(row: $0, columns: 1)] }, in: [file]) { block in
                    seen.append(run.state.progress)
                    if block == last { throw Death() }
                }
            } catch is Death {}
        }
        var seen: [Double] = []
        try compute(run(), upTo: 4, &seen)
        #expect(seen == [0, 0.1, 0.2, 0.3, 0.4])
        seen = []
        let second = try run()
        #expect(second.before == 0.4)
        try compute(second, upTo: 10, &seen)
        #expect(seen == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    }

    /// Only what is on the disk counts as kept: a job that kills its server soon after the first block is a killer.
    @Test func blocksCountWhenTheyAreEntered() throws {
        _ = try run()
        let second = try run()
        #expect(second.losses == 1)
        let file = try second.array(0, shape: [10], isFloat32: false)
        let start = ContinuousClock.now
        let log = try second.blocks(plan: "p", count: 10, in: [file]) { [Tile(row: $0, columns: 1)] }
        var losses: [(count: Int, isSoon: Bool)] = []
        try second.computeResult(log, in: [file]) { block in
            losses.append((second.losses, ContinuousClock.now - start < .milliseconds(250)))
            if block == 4 { Thread.sleep(forTimeInterval: 0.3) }
        }
        #expect(losses[0].count == 1 && losses[9].count == 0 && losses.allSatisfy { $0.count == 1 || !$0.isSoon })
        #expect(try board.store.state(id).losses == 0)
    }

    /// What is given back to the system, before it is on the disk or after, comes again.
    @Test func memoryIsGivenBack() throws {
        let run = try run()
        let rows = 1_000
        let places = { @Sendable (block: Int) in [Tile(rows: block * rows / 2..<(block + 1) * rows / 2, columns: 0..<2)] }
        let kept = try #require(
            try run.matrix(
                "m", plan: "p", inputs: [], rows: rows, columns: 2, blocks: 2, as: Float.self, places: places
            ) { block, matrix in
                for row in block * rows / 2..<(block + 1) * rows / 2 { matrix.storage.set(2 * row + 1, Float(row)) }
                run.giveBack()
            })
        let expected = (0..<2 * rows).map { $0 % 2 == 0 ? 0 : Float($0 / 2) }
        run.giveBack()
        #expect(kept.elements == expected)
        #expect(run.copy(kept).elements == expected && kept.elements == expected)
    }

    @Test func withoutTheNumbersTheLogSaysNothing() throws {
        _ = try make(run(), upTo: 4)
        try FileManager.default.removeItem(atPath: board.store.path(id, "work-m.npy"))
        #expect(try make(run()) == (all, Array(0..<10)))
    }

    @Test func thereIsABoundForAllOfThem() throws {
        #expect(try make(run(workBytes: 79)).elements == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: board.store.path(id)).filter { $0.hasPrefix("work") }.isEmpty)
        #expect(try make(run(workBytes: 80)).elements == all)
        let bytes = try board.store.workBytes(id, .own)
        #expect(bytes > 0)
        #expect(try make(run(workBytes: bytes), "n").elements == nil)
        #expect(try make(run(workBytes: bytes)).computed.isEmpty)
    }

    /// A finished block that is not any more what it was is computed again, and so is what an entry that was damaged tells of.
    @Test func damagedBlocksAreComputedAgain() throws {
        for (file, place) in [("work-m.npy", 128 + 8 * 2 + 3), ("work-m.npy", 128 + 8 * 3 + 7), ("work-m.blocks", -3), ("work-m.blocks", -8)] {
            #expect(try make(run(), upTo: 4).elements == nil)
            let url = URL(fileURLWithPath: board.store.path(id, file))
            var bytes = try Data(contentsOf: url)
            bytes[place < 0 ? bytes.count + place : place] ^= 0x20
            try bytes.write(to: url)
            let (elements, computed) = try make(run())
            #expect(elements == all && computed.count == 7 && computed.suffix(6) == [4, 5, 6, 7, 8, 9], "\(file): \(computed)")
            for name in ["work-m.npy", "work-m.blocks"] { try FileManager.default.removeItem(atPath: board.store.path(id, name)) }
        }
    }

    /// Numbers beside a result are kept as its blocks are, and a block whose number was damaged is computed again.
    @Test func numbersAreKept() throws {
        func compute(upTo last: Int = 10) throws -> (numbers: [Double], computed: [Int]) {
            let run = try run()
            let (file, numbers) = (try run.array(0, shape: [10], isFloat32: false), try run.numbers(of: 10))
            let log = try run.blocks(plan: "p", count: 10, in: [file], numbers: numbers) { [Tile(row: $0, columns: 1)] }
            var computed: [Int] = []
            do {
                try run.computeResult(log, in: [file, numbers]) { block in
                    if block == last { throw Death() }
                    numbers.matrix(as: Double.self).storage.set(block, Double(block) + 0.25)
                    computed.append(block)
                }
            } catch is Death {}
            return (numbers.matrix(as: Double.self).elements, computed)
        }
        #expect(try compute(upTo: 4).computed == [0, 1, 2, 3])
        let url = URL(fileURLWithPath: board.store.path(id, "work-numbers.npy"))
        var bytes = try Data(contentsOf: url)
        bytes[128 + 8 * 2 + 3] ^= 0x20
        try bytes.write(to: url)
        let (numbers, computed) = try compute()
        #expect(computed == [2, 4, 5, 6, 7, 8, 9] && numbers == (0..<10).map { Double($0) + 0.25 })
    }

    /// Also where the damage comes while the rest is computed.
    @Test func damageDuringTheWorkIsSeenAtItsEnd() throws {
        let run = try run()
        let file = try run.array(0, shape: [10], isFloat32: false)
        let matrix = file.matrix(as: Double.self)
        var computed: [Int] = []
        try run.computeResult(run.blocks(plan: "p", count: 10, in: [file]) { [Tile(row: $0, columns: 1)] }, in: [file]) { block in
            computed.append(block)
            matrix.storage.set(block, Double(block) + 0.5)
            if computed.count == 8 { matrix.storage.set(2, 7) }
        }
        #expect(matrix.elements == all && computed == Array(0..<10) + [2])
    }

    /// Where a matrix cannot be kept, it is left to its maker.
    @Test func aFullDisk() throws {
        let path = board.store.path(id, "work-m.npy")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
        #expect(try make(run()).elements == nil)
        #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil)
    }

    @Test func itGoesWithTheEnd() async throws {
        func work() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: board.store.path(id)).filter { $0.hasPrefix("work-") }.sorted()
        }
        _ = try make(run(), upTo: 4)
        #expect(try work() == ["work-m.blocks", "work-m.npy"])
        let end = try run().end(.succeeded)
        #expect(try board.store.write(JobOutcome(state: end, content: []), of: id))
        #expect(try work().isEmpty)
        // Also if who ended it died before.
        try Data([1]).write(to: URL(fileURLWithPath: board.store.path(id, "work-m.npy")))
        try JobBoard(directory: directory).readEnded()
        #expect(try work().isEmpty)
    }
}
