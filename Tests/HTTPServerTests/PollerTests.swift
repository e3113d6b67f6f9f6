import Glibc
import Testing

@testable import HTTPServer

/// Events of sockets, without a loop around them.
final class PollerTests {
    private let poller: Poller
    /// Two ends that are connected to each other.
    private var ends: (Int32, Int32)

    init() throws {
        poller = try Poller()
        var pair: [Int32] = [0, 0]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair) == 0)
        ends = (pair[0], pair[1])
    }

    deinit {
        closeEnd(&ends.0)
        closeEnd(&ends.1)
        poller.close()
    }

    private func closeEnd(_ end: inout Int32) {
        if end >= 0 { _ = close(end) }
        end = -1
    }

    /// The events of one wait, as "id:rw", and whether there was anything.
    private func events(milliseconds: Int32 = 0) -> (found: [String], isBusy: Bool) {
        var found: [String] = []
        let isBusy = poller.wait(milliseconds: milliseconds) { event in
            found.append("\(event.id):\(event.isReadable ? "r" : "")\(event.isWritable ? "w" : "")")
        }
        return (found, isBusy)
    }

    private func write(_ count: Int = 1) {
        let octets = [UInt8](repeating: 1, count: count)
        _ = unsafe send(ends.1, octets, count, Int32(MSG_NOSIGNAL))
    }

    @Test func nothingHappensToAnIdleSocket() {
        #expect(poller.add(ends.0, .reading, id: 7))
        #expect(events() == (found: [], isBusy: false))
    }

    /// What was not read is told again: the watch is of a level, not of an edge.
    @Test func aReadableSocketIsToldUntilItIsRead() {
        #expect(poller.add(ends.0, .reading, id: 7))
        write()
        for _ in 0..<3 { #expect(events() == (["7:r"], true)) }
        var octet: UInt8 = 0
        #expect(unsafe recv(ends.0, &octet, 1, 0) == 1)
        #expect(events() == ([], false))
    }

    @Test func onlyWhatIsWatchedForIsTold() {
        #expect(poller.add(ends.0, .writing, id: 1))
        write()
        #expect(events().found == ["1:w"])
        poller.change(ends.0, [.reading, .writing], id: 2)
        #expect(events().found == ["2:rw"])
        poller.change(ends.0, .reading, id: 3)
        #expect(events().found == ["3:r"])
        poller.change(ends.0, [], id: 4)
        #expect(events().found == [])
        poller.remove(ends.0)
        #expect(events().found == [])
    }

    /// The peer's end is readable: whoever reads finds it.
    @Test func theEndOfAPeerIsReadable() {
        #expect(poller.add(ends.0, .reading, id: 9))
        _ = shutdown(ends.1, Int32(SHUT_WR))
        #expect(events().found == ["9:r"])
        closeEnd(&ends.1)
        // Errors come unasked, as readable and writable both.
        #expect(events().found == ["9:rw"])
        poller.change(ends.0, [], id: 9)
        #expect(events().found == ["9:rw"])
    }

    @Test func whatIsNoSocketCannotBeWatched() {
        #expect(!poller.add(-1, .reading, id: 1))
        #expect(poller.add(ends.0, .reading, id: 1) && !poller.add(ends.0, .reading, id: 1))
    }

    /// A call to wake ends the wait that follows, once, however often it was made; it is no event of a socket.
    @Test func wakingEndsAWait() {
        poller.wake()
        poller.wake()
        #expect(events(milliseconds: -1) == ([], true))
        #expect(events() == ([], false))
    }

    @Test func wakingFromAnotherThreadEndsAWaitWithoutEnd() async {
        let poller = poller
        let waits = Task.detached { poller.wait(milliseconds: -1) { _ in } }
        poller.wake()
        #expect(await waits.value)
    }

    @Test func manySocketsAreToldOverSeveralWaits() throws {
        var sockets: [Int32] = []
        defer { for socket in sockets { _ = close(socket) } }
        for id in 0..<300 {
            var pair: [Int32] = [0, 0]
            try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair) == 0)
            sockets += pair
            try #require(poller.add(pair[0], .writing, id: UInt64(id)))
        }
        var seen: Set<UInt64> = []
        for _ in 0..<4 where seen.count < 300 { _ = poller.wait(milliseconds: 0) { seen.insert($0.id) } }
        #expect(seen.count == 300)
    }
}

private func == (left: (found: [String], isBusy: Bool), right: ([String], Bool)) -> Bool { left.found == right.0 && left.isBusy == right.1 }
