private import CEpoll
private import Glibc

/// Linux's epoll as the event loop uses it: level-triggered, so that a socket costs a call only when what is waited for changes.
///
/// A Dispatch source would do, but re-arms itself with three calls for every event, on a thread of its own: half of the time of a small
/// request.
struct Poller: Sendable {
    struct Interest: OptionSet, Sendable {
        let rawValue: UInt8
        static let reading = Interest(rawValue: 1)
        static let writing = Interest(rawValue: 2)
    }

    struct Event {
        var id: UInt64
        var isReadable: Bool
        var isWritable: Bool
    }

    /// The id of the event that `wake` causes.
    static let wakeID = UInt64.max
    private static let eventsPerWait = 256

    private let poll: Int32
    private let bell: Int32

    init() throws(HTTPServerError) {
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard poll >= 0, bell >= 0, set(bell, .reading, id: Self.wakeID, operation: EPOLL_CTL_ADD) else {
            throw .cannotPoll(reason: unsafe String(cString: strerror(errno)))
        }
    }

    func add(_ socket: Int32, _ interest: Interest, id: UInt64) -> Bool { set(socket, interest, id: id, operation: EPOLL_CTL_ADD) }
    func change(_ socket: Int32, _ interest: Interest, id: UInt64) { _ = set(socket, interest, id: id, operation: EPOLL_CTL_MOD) }
    func remove(_ socket: Int32) { _ = set(socket, [], id: 0, operation: EPOLL_CTL_DEL) }

    private func set(_ socket: Int32, _ interest: Interest, id: UInt64, operation: Int32) -> Bool {
        var events: UInt32 = 0
        if interest.contains(.reading) { events |= EPOLLIN.rawValue | EPOLLRDHUP.rawValue }
        if interest.contains(.writing) { events |= EPOLLOUT.rawValue }
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: id))
        return unsafe epoll_ctl(poll, operation, socket, &event) == 0
    }

    /// Waits until something is ready, or `milliseconds` have passed (-1: without end), and calls `body` for each event of a socket.
    /// False if nothing came, a call to `wake` included.
    func wait(milliseconds: Int32, _ body: (Event) -> Void) -> Bool {
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsPerWait) { events in
            let count = unsafe epoll_wait(poll, events.baseAddress, Int32(Self.eventsPerWait), milliseconds)
            // An interrupted wait is as one that has ended.
            for index in 0..<max(Int(count), 0) {
                let event = unsafe events[index]
                let id = unsafe event.data.u64
                if id == Self.wakeID {
                    silence()
                    continue
                }
                let flags = unsafe event.events
                // Errors and hang-ups come unasked; reading tells which it was.
                let broken = flags & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
                body(
                    Event(
                        id: id, isReadable: broken || flags & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0,
                        isWritable: broken || flags & EPOLLOUT.rawValue != 0))
            }
            return count > 0
        }
    }

    /// Ends the wait that is going on, or the next one. From any thread.
    func wake() { _ = eventfd_write(bell, 1) }

    private func silence() {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(bell, &count)
    }

    func close() {
        _ = Glibc.close(bell)
        _ = Glibc.close(poll)
    }
}
