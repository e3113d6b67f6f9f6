import Foundation
import LinearAlgebra
import Locks
import TensorFormats
import Testing

@testable import Jobs

/// Boards on a directory of their own, as servers that share it.
final class JobBoardTests {
    let directory = NSTemporaryDirectory() + "jobs-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func board(_ change: (inout JobBoard.Limits) -> Void = { _ in }) throws -> JobBoard {
        var limits = JobBoard.Limits()
        change(&limits)
        return try JobBoard(directory: directory, limits: limits)
    }

    @discardableResult
    private func submit(_ board: JobBoard, _ id: JobID = .random(), _ text: String = "x") throws -> JobID {
        let submission = try board.submit(
            id, target: "/v1/kernels", contentType: "application/json", fingerprint: text, requestID: "r", request: Array(text.utf8))
        guard case .accepted = submission else { throw JobFailure(content: Array("\(submission)".utf8)) }
        return id
    }

    private func wait(_ board: JobBoard, _ id: JobID, _ isDone: (JobState) -> Bool = { $0.status.isFinal }) async throws -> JobState {
        for _ in 0..<2_000 {
            if let state = try board.view(id)?.state, isDone(state) { return state }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw JobFailure(content: Array("the job does not come on".utf8))
    }

    @Test func aJobIsDone() async throws {
        let board = try board()
        let id = try submit(board, .random(), "payload")
        #expect(try board.view(id)?.state.status == .queued)
        board.start { run in
            let request = try run.request()
            #expect(request == Array("payload".utf8))
            for step in 1...4 { run.report(Double(step) / 4, etaSeconds: Double(4 - step)) }
            return Array("{}".utf8)
        }
        let state = try await wait(board, id)
        #expect(state.status == .succeeded && state.progress == 1 && state.attempt == 1 && state.finishedAt != nil)
        #expect(try board.outcome(id)?.content == Array("{}".utf8))
        let states = try board.states(of: id, after: nil)
        #expect(states.map(\.progress) == [0, 0.25, 0.5, 0.75, 1, 1] && states.map(\.step) == Array(0...5))
        #expect(try board.states(of: id, after: JobEventID(attempt: 1, step: 3)).map(\.step) == [4, 5])
        #expect(try board.states(of: id, after: JobEventID(attempt: 1, step: 5)).isEmpty)
        await board.checkpoint()
        // Another server, and later ones, know the end.
        let other = try self.board()
        #expect(try other.view(id)?.state == state)
        #expect(try other.states(of: id, after: JobEventID(attempt: 1, step: 3)) == [state])
    }

    @Test func aFailureIsKept() async throws {
        let board = try board()
        board.start { _ in throw JobFailure(content: Array(#"{"status":422}"#.utf8)) }
        let id = try submit(board)
        #expect(try await wait(board, id).status == .failed)
        #expect(try board.outcome(id)?.content == Array(#"{"status":422}"#.utf8))
        await board.checkpoint()
    }

    @Test func deathsInARowAreCountedUntilSomethingIsKept() async throws {
        let board = try board()
        let id = try submit(board)
        let manifest = try #require(try board.store.manifest(id))
        // Attempts that nobody ends, as when their server dies.
        func attempt() throws -> JobRun { try JobRun(id, manifest, board.store, after: board.store.state(id)) }
        for losses in 0..<3 { #expect(try attempt().losses == losses) }
        let last = try attempt()
        #expect(last.losses == 3)
        last.keptSomething()
        last.release()
        #expect(try board.store.state(id).status == .queued)
        #expect(try attempt().losses == 0)
        let kept = try attempt()
        #expect(kept.losses == 1)
        kept.keptSomething()
        try await Task.sleep(for: .milliseconds(510))
        // The next report tells it.
        kept.report(0.5, etaSeconds: nil)
        #expect(try attempt().losses == 1)
        #expect(try board.store.state(id).attempt == 7)
    }

    /// A job whose files are damaged waits alone.
    @Test func aDamagedJobDoesNotStopTheOthers() async throws {
        let board = try board()
        for file in ["job.json", "state.json", "outcome.json"] {
            let id = try submit(board)
            let path = board.store.path(id, file)
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            // A file that cannot be read.
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        // As after a restart.
        let other = try self.board()
        let id = try submit(other)
        other.start { _ in [] }
        #expect(try await wait(other, id).status == .succeeded)
        #expect(try other.list(after: nil, limit: 10).jobs.contains { $0.id == id })
        await other.checkpoint()
    }

    /// Of many servers on one directory, one does each job, once.
    @Test func nobodyWorksTwice() async throws {
        let boards = try (0..<3).map { _ in try board { $0.workers = 2 } }
        let done = Lock([JobID: Int]())
        for board in boards {
            board.start { run in
                try await Task.sleep(for: .milliseconds(5))
                done.withLock { $0[run.id, default: 0] += 1 }
                return Array("1".utf8)
            }
        }
        let ids = try (0..<30).map { try submit(boards[$0 % 3]) }
        for id in ids { #expect(try await wait(boards[0], id).status == .succeeded) }
        for board in boards { await board.checkpoint() }
        #expect(done.withLock { $0 } == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
    }

    @Test func aStoppedJobGoesOnElsewhere() async throws {
        let first = try board()
        let id = try submit(first)
        let blocks = Lock([Int]())
        @Sendable func work(_ run: JobRun, upTo last: Int) async throws -> [UInt8] {
            let file = try run.array(0, shape: [10], isFloat32: false)
            let log = try run.blocks(plan: "ten", count: 10, in: [file]) { [Tile(row: $0, columns: 1)] }
            for block in log.left {
                if block == last { try await Task.sleep(for: .seconds(600)) }
                file.matrix(as: Double.self).storage.set(block, Double(block) + 0.5)
                blocks.withLock { $0.append(block) }
                run.report(Double(try log.finish(block, in: [file]).count) / 10, etaSeconds: nil)
                if block == 5 { try log.flush([file]) }
            }
            try log.flush([file])
            try run.seal(0)
            return Array("null".utf8)
        }
        first.start { try await work($0, upTo: 6) }
        _ = try await wait(first, id) { $0.progress >= 0.6 }
        await first.checkpoint()
        #expect(try first.view(id)?.state.status.isFinal == false)
        let second = try board()
        second.start { try await work($0, upTo: -1) }
        let state = try await wait(second, id)
        #expect(state.status == .succeeded && state.attempt == 2)
        #expect(blocks.withLock { $0 } == Array(0..<10))
        let file = try second.array(id, #require(try second.outcome(id)), 0, shape: [10], isFloat32: false)
        #expect(try file.read(0..<10, as: Double.self).elements == (0..<10).map { Double($0) + 0.5 })
        await second.checkpoint()
    }

    @Test func cancelling() async throws {
        let (board, other) = (try board(), try board())
        let waiting = try submit(board)
        #expect(try board.cancel(waiting)?.state.status == .cancelled)
        #expect(try other.view(waiting)?.state.status == .cancelled)
        board.start { _ in
            try await Task.sleep(for: .seconds(600))
            return []
        }
        let running = try submit(board)
        _ = try await wait(board, running) { $0.status == .running }
        // Through a server that does not work on it.
        #expect(try other.cancel(running)?.state.status == .cancelled)
        while try board.outcome(running) == nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try board.outcome(running)?.state.status == .cancelled)
        // What has ended is forgotten.
        #expect(try board.cancel(running) == nil && board.view(running) == nil && other.view(running) == nil)
        await board.checkpoint()
    }

    @Test func thereIsABound() throws {
        let board = try board { $0.unfinished = 3 }
        let ids = try (0..<3).map { _ in try submit(board) }
        #expect(throws: JobFailure.self) { try submit(board) }
        _ = try board.cancel(ids[1])
        try submit(board)
        guard case .known = try board.submit(ids[0], target: "", contentType: "", fingerprint: "", requestID: "", request: []) else {
            throw JobFailure(content: [])
        }
    }

    @Test func pagesGoFromNewToOld() throws {
        let board = try board()
        let ids = Set(try (0..<7).map { _ in try submit(board) })
        var seen: [JobView] = []
        var cursor: JobCursor?
        repeat {
            let page = try board.list(after: cursor, limit: 3)
            seen += page.jobs
            cursor = page.next
            if let cursor { #expect(JobCursor(cursor.description) == cursor) }
        } while cursor != nil
        #expect(seen.count == 7 && Set(seen.map(\.id)) == ids)
        #expect(seen.map(\.manifest.createdAt) == seen.map(\.manifest.createdAt).sorted(by: >))
        #expect(try board.list(after: nil, limit: 10, status: .succeeded).jobs.isEmpty)
    }

    @Test func oldOnesGo() async throws {
        let board = try board { $0.retentionSeconds = 0 }
        let id = try submit(board)
        _ = try board.cancel(id)
        try await Task.sleep(for: .milliseconds(20))
        try board.removeOld()
        #expect(try board.view(id) == nil && FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        let small = try self.board { $0.bytes = 1 }
        let ids = try (0..<2).map { number in
            let id = JobID.random()
            _ = try small.store.create(id, JobManifest(createdAt: number, target: "", contentType: "", fingerprint: "", requestID: ""), request: [1])
            _ = try small.cancel(id)
            usleep(2_000)
            return id
        }
        try small.removeOld()
        #expect(try small.view(ids[0]) == nil && small.view(ids[1]) != nil)
    }

    @Test func halfAnEntryIsNone() throws {
        let board = try board()
        let id = try submit(board)
        let path = board.store.path(id, "blocks")
        let run = try JobRun(id, try #require(try board.manifest(id)), board.store, after: JobState())
        let log = try run.blocks(plan: "p", count: 5, in: [], places: { _ in [] })
        _ = try log.finish(3, in: [])
        try log.flush([])
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0...whole.count {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            #expect(
                try run.blocks(plan: "p", count: 5, in: [], places: { _ in [] }).left == (length == whole.count ? [0, 1, 2, 4] : [0, 1, 2, 3, 4]))
        }
        #expect(try run.blocks(plan: "q", count: 5, in: [], places: { _ in [] }).left == [0, 1, 2, 3, 4])
    }
}
