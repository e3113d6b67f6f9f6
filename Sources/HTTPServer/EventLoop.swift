import Dispatch
import HTTP1
import Locks
import Synchronization

/// One thread that many connections share: the executor of their actors, and the watch over their sockets and deadlines, with what else
/// they have in common (the receive buffer, the date). The thread is that of a serial queue, on which the loop is one block without end.
/// The locks are hardly ever contended, as the loop itself takes them while it serves.
///
/// It is the preferred executor of the tasks of its connections too: otherwise a resumed task goes to the cooperative pool first, which then
/// finds that it belongs here. That is a second wake of a thread for every answer that a worker makes.
final class EventLoop: SerialExecutor, TaskExecutor {
    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Pending {
        var work: [Work] = []
        /// The loop waits, or is about to: new work must wake it.
        var isWaiting = false
        var isStopping = false
        var hasEnded = false
        /// What this thread adds next is the first job of a task that starts now.
        var isStarting = false
        var first: UnownedJob?
    }

    private let queue: DispatchQueue
    private let mark = DispatchSpecificKey<Bool>()
    private let poller: Poller
    private let pending = Lock(Pending())
    private let connections = Lock<[UInt64: HTTPConnection]>([:])
    /// Connections that have a request with the responder or an answer on its way.
    private let answering = Atomic(0)
    private let tick: Duration
    private let wakefulness: Duration

    /// Connections whose answers leave at the end of this turn, and when the turn of the first began.
    private let unsent = Lock((connections: [HTTPConnection](), since: ContinuousClock.now))
    /// How long an answer waits for those after it at the most: as long as some small requests take.
    private static let longestTurn = Duration.microseconds(500)

    private let buffer: Lock<[UInt8]>
    private let bufferOctets: Int
    private let date = Lock((second: Int.min, text: [UInt8]()))

    init(label: String, configuration: HTTPServerConfiguration) throws(HTTPServerError) {
        queue = DispatchQueue(label: label)
        queue.setSpecific(key: mark, value: true)
        poller = try Poller()
        wakefulness = configuration.wakefulness
        bufferOctets = configuration.receiveOctets
        buffer = Lock([])
        let shortest = min(
            configuration.idleTimeout, configuration.headerTimeout, configuration.bodyTimeout, configuration.writeTimeout,
            configuration.lingerTimeout)
        tick = min(max(shortest / 4, .milliseconds(10)), .seconds(1))
        queue.async { @Sendable in self.run() }
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Has `call` called on the loop.
    func submit(_ call: @escaping @Sendable () -> Void) { add(.call(call)) }

    /// Returns when everything that was added before has been done.
    func settle() async {
        await withCheckedContinuation { settled in submit { @Sendable in settled.resume() } }
    }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }

    func isIsolatingCurrentContext() -> Bool? { isOnLoop }

    private var isOnLoop: Bool { DispatchQueue.getSpecific(key: mark) == true }

    /// Has a task of an actor of this loop, which `make` makes with the loop as its preferred executor, run until it waits for the first time.
    ///
    /// `Task.immediate` would do without a preference; a task with one it would only enqueue.
    func startNow(_ make: () -> Void) {
        pending.withLock { $0.isStarting = true }
        make()
        let job = pending.withLock { pending in
            pending.isStarting = false
            return pending.first.take()
        }
        if let job { perform(.job(job)) }
    }

    private func add(_ work: Work) {
        let (mustWake, hasEnded) = pending.withLock { pending in
            if pending.isStarting, isOnLoop, case .job(let job) = work {
                pending.first = job
                pending.isStarting = false
                return (false, false)
            }
            if pending.hasEnded { return (false, true) }
            pending.work.append(work)
            defer { pending.isWaiting = false }
            return (pending.isWaiting, false)
        }
        if mustWake { poller.wake() }
        // What comes after the end (a task that was cancelled late, say) runs on the queue as it is.
        if hasEnded {
            queue.async { @Sendable in
                self.perform(work)
                self.endTurn()
            }
        }
    }

    private func perform(_ work: Work) {
        switch work {
        case .job(let job): unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        case .call(let call): call()
        }
    }

    // MARK: The loop

    private func run() {
        var nextTick = ContinuousClock.now + tick
        var sleepless = ContinuousClock.now
        while true {
            let (work, hasEnded) = takeWork()
            if hasEnded { return poller.close() }
            for work in work { perform(work) }
            endTurn()
            let now = ContinuousClock.now
            if now >= nextTick {
                nextTick = now + tick
                for connection in all { connection.assumeIsolated { $0.expire(now) } }
            }
            var isBusy = poll(milliseconds: 0) || !work.isEmpty
            // Not while an answer is being made: its worker needs the core.
            while !isBusy, answering.load(ordering: .relaxed) == 0, ContinuousClock.now < sleepless {
                Syscalls.yield()
                isBusy = poll(milliseconds: 0)
            }
            if !isBusy {
                let isEmpty = connections.withLock { $0.isEmpty }
                isBusy = poll(milliseconds: isEmpty ? -1 : Int32((nextTick - now) / .milliseconds(1)) + 1)
            }
            if isBusy { sleepless = .now + wakefulness }
            pending.withLock { $0.isWaiting = false }
        }
    }

    /// The work that was added since the last call; if there is none, the next addition must wake the loop.
    private func takeWork() -> (work: [Work], hasEnded: Bool) {
        pending.withLock { pending in
            var work: [Work] = []
            swap(&work, &pending.work)
            pending.isWaiting = work.isEmpty
            pending.hasEnded = work.isEmpty && pending.isStopping
            return (work, pending.hasEnded)
        }
    }

    /// Waits for events and hands them to their connections. False if none came.
    private func poll(milliseconds: Int32) -> Bool {
        let isBusy = poller.wait(milliseconds: milliseconds) { event in
            // Gone, if an event before this one in the same wait has closed it.
            let connection = connections.withLock { $0[event.id] }
            connection?.assumeIsolated { $0.becameReady(event) }
            if isTurnOver { endTurn() }
        }
        endTurn()
        return isBusy
    }

    /// Ends the loop when its work is done; the thread is given back.
    func stop() {
        pending.withLock { $0.isStopping = true }
        poller.wake()
    }

    // MARK: Connections

    var all: [HTTPConnection] { connections.withLock { Array($0.values) } }

    /// Watches a connection's socket. False if the system has no room for it.
    func add(_ connection: HTTPConnection) -> Bool {
        connections.withLock { $0[connection.id] = connection }
        return poller.add(connection.socket, .reading, id: connection.id)
    }

    func countAnswering(_ change: Int) { answering.wrappingAdd(change, ordering: .relaxed) }

    func watch(_ connection: HTTPConnection, _ interest: Poller.Interest) {
        poller.change(connection.socket, interest, id: connection.id)
    }

    /// Ends the watch; the socket may be closed then.
    func remove(_ connection: HTTPConnection) {
        poller.remove(connection.socket)
        connections.withLock { _ = $0.removeValue(forKey: connection.id) }
    }

    // MARK: Turns

    /// Has the connection send its answer when what came at once with its request has been served.
    ///
    /// Each answer wakes a client, which would then run before the next answer is made, on this core or by an interrupt of another: sent one
    /// after another they cost it and us a fifth of the time of small requests.
    func sendAtEndOfTurn(_ connection: HTTPConnection) {
        unsent.withLock { unsent in
            if unsent.connections.isEmpty { unsent.since = .now }
            unsent.connections.append(connection)
        }
    }

    private var isTurnOver: Bool {
        unsent.withLock { !$0.connections.isEmpty && ContinuousClock.now - $0.since > Self.longestTurn }
    }

    private func endTurn() {
        let connections = unsent.withLock { unsent in
            defer { unsent.connections.removeAll(keepingCapacity: true) }
            return unsent.connections
        }
        for connection in connections { connection.assumeIsolated { $0.sendHeldAnswer() } }
    }

    // MARK: What connections share

    /// Lends the receive buffer: one `receive` and its use later it should be given back, before the next suspension.
    func takeBuffer() -> [UInt8] {
        let lent = buffer.withLock { buffer in
            var lent: [UInt8] = []
            swap(&buffer, &lent)
            return lent
        }
        return lent.isEmpty ? [UInt8](repeating: 0, count: bufferOctets) : lent
    }

    func giveBack(_ lent: consuming [UInt8]) {
        let lent = lent
        buffer.withLock { $0 = lent }
    }

    /// The time as `Date` has it, made anew each second.
    func dateText() -> [UInt8] {
        let second = Syscalls.secondsSince1970()
        return date.withLock { date in
            if date.second != second {
                date = (second, IMFFixdate.format(secondsSince1970: second))
            }
            return date.text
        }
    }
}
