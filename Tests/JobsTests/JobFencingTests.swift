import ArtifactStore
import Foundation
import LinearAlgebra
import TensorFormats
import Testing

@testable import Jobs

/// A server that hangs loses its job, and wakes up to find that it has.
final class JobFencingTests {
    private let directory = NSTemporaryDirectory() + "job-fencing-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func board() throws -> JobBoard {
        var limits = JobBoard.Limits()
        limits.leaseSeconds = 1.5
        return try JobBoard(directory: directory, limits: limits)
    }

    /// Ten numbers, a block each, up to one of them.
    private static func work(_ run: JobRun, upTo last: Int = 10) throws -> (file: ArrayFile, left: [Int]) {
        let file = try run.array(0, shape: [10], isFloat32: false)
        let log = try run.blocks(plan: "ten", count: 10, in: [file]) { [Tile(row: $0, columns: 1)] }
        for block in log.left where block < last {
            file.matrix(as: Double.self).storage.set(block, Double(block) + 0.5)
            _ = try log.finish(block, in: [file])
        }
        try log.flush([file])
        return (file, log.left)
    }

    private static let result = (0..<10).map { Double($0) + 0.5 }

    @Test func whoWakesUpWritesOverNothing() async throws {
        let first = try board()
        let id = JobID.random()
        _ = try first.submit(id, target: "/v1/kernels", contentType: "", fingerprint: "", requestID: "", request: [1])
        // A server that works on it, and stands still.
        let claim = try #require(try first.store.claim(id))
        let manifest = try #require(try first.manifest(id))
        let hung = try JobRun(id, manifest, first.store, after: first.store.state(id), claim: claim)
        let old = try Self.work(hung, upTo: 4).file
        #expect(hung.state.attempt == 1 && !hung.isOvertaken)

        let second = try board()
        second.start { run in
            #expect(try run.request() == [1] && run.losses == 0)
            // From where the other one stood; not what that has torn.
            #expect(try Self.work(run).left == Array(4..<10))
            try run.seal(0)
            return Array("{}".utf8)
        }
        for _ in 0..<1_000 where !first.store.hasEnded(id) { try await Task.sleep(for: .milliseconds(10)) }
        await second.checkpoint()
        let outcome = try #require(try second.outcome(id))
        #expect(outcome.state.status == .succeeded && outcome.state.attempt == 2 && outcome.place == "attempt-2")

        // It wakes up.
        #expect(hung.isOvertaken)
        for block in 0..<10 { old.matrix(as: Double.self).storage.set(block, -1) }
        try old.synchronize()
        hung.report(0.9, etaSeconds: nil)
        hung.release()
        #expect(try !first.store.write(JobOutcome(state: hung.end(.succeeded), content: Array("null".utf8)), of: id))
        for board in [first, second, try board()] {
            #expect(try board.view(id)?.state == outcome.state)
            let array = try board.array(id, #require(try board.outcome(id)), 0, shape: [10], isFloat32: false)
            #expect(try array.read(0..<10, as: Double.self).elements == Self.result)
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: first.store.path(id)).sorted()
        #expect(files == ["attempt-2", "checksums", "job.json", "lock", "outcome.json"])
        withExtendedLifetime(claim) {}
    }

    /// One that wakes up while the other works on may not end it either; and where it had ended it, that counts.
    @Test func onlyOneEnds() throws {
        let board = try board()
        let id = JobID.random()
        _ = try board.submit(id, target: "/v1/kernels", contentType: "", fingerprint: "", requestID: "", request: [1])
        let claim = try #require(try board.store.claim(id))
        #expect(try board.store.claim(id) == nil)
        let manifest = try #require(try board.manifest(id))
        let hung = try JobRun(id, manifest, board.store, after: board.store.state(id), claim: claim)
        let taken = try #require(try board.store.take(id, from: .own))
        #expect(taken.place == JobPlace(number: 2) && hung.isOvertaken)
        #expect(try board.store.take(id, from: .own) == nil)
        let run = try JobRun(id, manifest, board.store, after: board.store.state(id), claim: taken)
        #expect(run.state.attempt == 2 && !run.isOvertaken)
        let before = try board.store.state(id)
        hung.report(0.5, etaSeconds: 1)
        hung.announceEnd()
        #expect(try board.store.state(id) == before)
        #expect(try board.store.write(JobOutcome(state: hung.end(.succeeded), content: Array("1".utf8)), of: id))
        #expect(try !board.store.write(JobOutcome(state: run.end(.succeeded), content: Array("2".utf8)), of: id))
        #expect(try board.outcome(id)?.content == Array("1".utf8) && run.isOvertaken)
        // Whose events were followed gets the end all the same.
        #expect(try board.states(of: id, after: JobEventID(attempt: 2, step: 7)).map(\.status) == [.succeeded])
        withExtendedLifetime((claim, taken)) {}
    }

    @Test func silenceIsCountedByWhoListens() throws {
        let board = try board()
        let id = JobID.random()
        _ = try board.submit(id, target: "", contentType: "", fingerprint: "", requestID: "", request: [])
        let claim = try #require(try board.store.claim(id))
        let (start, lease) = (ContinuousClock.now, Duration.seconds(5))
        var watch = HeartbeatWatch()
        func isSilent(_ seconds: Double) -> Bool { watch.silence(of: id, board.store.heartbeat(id), now: start + .seconds(seconds)) >= lease }
        #expect([0, 2, 4, 4.9].map(isSilent) == [false, false, false, false])
        #expect(isSilent(5))
        // A sign of life begins it anew.
        usleep(20_000)
        claim.lock.beat()
        #expect([6, 8, 10].map(isSilent) == [false, false, false])
        #expect(isSilent(11))
        // Who has stood still knows nothing of the time between.
        #expect([40, 42, 44].map(isSilent) == [false, false, false])
        #expect(isSilent(45.5))
    }

    /// The index follows what other servers do.
    @Test func anIndexThatIsShared() throws {
        let (one, two) = (try board(), try board())
        var ids: [JobID] = []
        for _ in 0..<5 {
            let id = JobID.random()
            _ = try one.submit(id, target: "/t", contentType: "", fingerprint: "", requestID: "", request: [])
            ids.append(id)
            #expect(try Set(two.list(after: nil, limit: 100).jobs.map(\.id)) == Set(ids))
        }
        _ = try two.cancel(ids[0])
        #expect(try one.list(after: nil, limit: 100, status: .cancelled).jobs.map(\.id) == [ids[0]])
        #expect(try one.list(after: nil, limit: 100, status: .queued).jobs.count == 4)
        #expect(try two.cancel(ids[0]) == nil)
        #expect(try one.list(after: nil, limit: 100).jobs.count == 4 && one.counts()[.queued] == 4)
        #expect(try Set(one.list(after: nil, limit: 100).jobs.map(\.id)) == Set(ids.dropFirst()))
        // All of it vanishes, and is empty when it is back.
        try FileManager.default.removeItem(atPath: directory)
        #expect(throws: ArtifactStoreError.self) { try one.list(after: nil, limit: 100) }
        #expect(throws: ArtifactStoreError.self) { try one.view(ids[1]) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        #expect(try one.list(after: nil, limit: 100).jobs.isEmpty && one.view(ids[1]) == nil)
        _ = try one.submit(ids[1], target: "/t", contentType: "", fingerprint: "", requestID: "", request: [])
        #expect(try two.list(after: nil, limit: 100).jobs.map(\.id) == [ids[1]])
    }
}
