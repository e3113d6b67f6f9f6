internal import Dispatch
internal import Glibc
internal import Locks
internal import Synchronization

/// The threads of a `ComputeExecutor`, and how they find their work.
///
/// A thread is made when it is first needed and kept: the system wakes it on the core where it ran before, as two threads that wake each
/// other on one core would stay there while another core is idle.
final class Workers: Sendable {
    private let width: Int
    private let threads: [Worker]
    private let state: Lock<WorkQueue>
    /// Counts what came and what ended, for workers that linger.
    private let changes = Atomic<UInt>(0)
    private let hasEnded = Atomic(false)

    /// For so long a less urgent loop helps a more urgent one before its own next tile.
    private static let longestHelp = Duration.milliseconds(20)

    /// From one loop of a piece of work to the next it is not as long as this; to be put to sleep and woken takes half of it.
    private static let longestLingering = Duration.microseconds(200)

    private final class Worker: Sendable {
        let queue: DispatchQueue
        let isStarted = Atomic(false)
        let work = DispatchSemaphore(value: 0)

        init(_ number: Int) { queue = DispatchQueue(label: "compute.\(number)", qos: .userInitiated) }
    }

    init(width: Int, spares: Int) {
        self.width = width
        threads = (0..<width + spares).map { Worker($0) }
        state = Lock(WorkQueue(width: width, spares: spares))
    }

    var waitingCount: Int { state.withLock { $0.waitingCount } }

    var runningCount: Int { state.withLock { $0.runningCount } }

    func start(_ piece: WorkQueue.Piece) {
        let thread = state.withLock { $0.add(piece) }
        noteChange()
        if let thread { wake(thread) }
    }

    func withdraw(_ id: UInt64, _ priority: WorkPriority) -> WorkQueue.Piece? { state.withLock { $0.withdraw(id, priority) } }

    /// Shares `loop` with idle workers, works on it, and returns when all its tiles have ended.
    func perform(_ loop: TileLoop) throws {
        let helpers = state.withLock { $0.add(loop) }
        noteChange()
        helpers.forEach(wake)
        loop.run {
            giveWay(loop)
            return false
        }
        state.withLock { $0.remove(loop) }
        try loop.wait()
    }

    /// Has every thread end when it has nothing left to do.
    func end() {
        hasEnded.store(true, ordering: .releasing)
        for thread in threads where thread.isStarted.load(ordering: .acquiring) { thread.work.signal() }
    }

    private func noteChange() { changes.add(1, ordering: .releasing) }

    private func wake(_ number: Int) {
        let thread = threads[number]
        guard !thread.isStarted.exchange(true, ordering: .acquiringAndReleasing) else {
            thread.work.signal()
            return
        }
        thread.queue.async { [self] in
            repeat {
                drain(number)
                thread.work.wait()
            } while !hasEnded.load(ordering: .acquiring)
        }
    }

    /// Works until there is nothing to do.
    private func drain(_ thread: Int) {
        while let task = state.withLock({ $0.next(for: thread) }) {
            switch task {
            case .start(let piece):
                piece.work()
                state.withLock { $0.ended(piece) }
                noteChange()
            case .help(let loop):
                loop.help(most: width) { state.withLock { $0.shouldLeave(loop) } }
                linger()
            }
        }
    }

    /// Awake for a moment, yielding the core to other threads: a request whose loop has ended may begin another at once.
    private func linger() {
        let seen = changes.load(ordering: .acquiring)
        guard state.withLock({ $0.beginLingering() }) else { return }
        let end = ContinuousClock.now + Self.longestLingering
        repeat { sched_yield() } while changes.load(ordering: .acquiring) == seen && ContinuousClock.now < end
        state.withLock { $0.endLingering() }
    }

    /// Works on the tiles of loops that are more urgent. Only on tiles: a whole piece might wait for something that this thread holds.
    private func giveWay(_ loop: TileLoop) {
        guard loop.priority > .small, let urgent = state.withLock({ $0.moreUrgentLoop(than: loop) }) else { return }
        let end = ContinuousClock.now + Self.longestHelp
        var next: TileLoop? = urgent
        while let urgent = next {
            urgent.help(most: width) { true }
            next = ContinuousClock.now < end ? state.withLock { $0.moreUrgentLoop(than: loop) } : nil
        }
    }
}
