/// Which work starts next: the book-keeping of a `ComputeExecutor`, without threads.
///
/// There are `width` workers, one a core, and beside them spares: threads that start what is more urgent than most of what runs. Where all
/// workers are inside long work, tiles or a step of LAPACK that no tile divides, a spare takes a small piece at once, and the system's
/// scheduler gives it its share of a core.
struct WorkQueue {
    struct Piece: Sendable {
        var id: UInt64
        var priority: WorkPriority
        var work: @Sendable () -> Void
    }

    enum Task {
        case start(Piece)
        case help(TileLoop)
    }

    /// One start in so many goes to the work that has waited the longest, whatever its priority: nothing waits forever.
    private static let fairness = 16

    private let width: Int
    /// First come first served, by priority.
    private var waiting = [[Piece]](repeating: [], count: WorkPriority.allCases.count)
    /// Loops that have tiles left to hand out.
    private var loops: [TileLoop] = []
    private var idle: [Int]
    private var idleSpares: [Int]
    /// Workers that have nothing to do and look for something all the time.
    private var lingering = 0
    /// Pieces that have started and not ended, by priority.
    private var running = [Int](repeating: 0, count: WorkPriority.allCases.count)
    private var starts = 0

    /// - Parameter spares: threads whose numbers follow those of the workers.
    init(width: Int, spares: Int) {
        self.width = width
        idle = (0..<width).reversed()
        idleSpares = (width..<width + spares).reversed()
    }

    /// - Returns: a thread to wake, which will ask for work.
    mutating func add(_ piece: Piece) -> Int? {
        waiting[piece.priority.rawValue].append(piece)
        if takeLingering(1) == 1 { return nil }
        if let worker = idle.popLast() { return worker }
        return isDue(piece.priority) ? idleSpares.popLast() : nil
    }

    /// Takes out what has not started.
    mutating func withdraw(_ id: UInt64, _ priority: WorkPriority) -> Piece? {
        guard let index = waiting[priority.rawValue].firstIndex(where: { $0.id == id }) else { return nil }
        return waiting[priority.rawValue].remove(at: index)
    }

    mutating func ended(_ piece: Piece) { running[piece.priority.rawValue] -= 1 }

    /// What a thread does next; nil sends it to sleep.
    mutating func next(for thread: Int) -> Task? {
        let isSpare = thread >= width
        if let priority = nextPriority(isSpare: isSpare) {
            let loop = isSpare ? nil : openLoop()
            if let loop, loop.priority < priority { return .help(loop) }
            starts += 1
            running[priority.rawValue] += 1
            return .start(waiting[priority.rawValue].removeFirst())
        }
        if isSpare {
            idleSpares.append(thread)
        } else {
            if let loop = openLoop() { return .help(loop) }
            idle.append(thread)
        }
        return nil
    }

    /// A spare starts only what is due.
    private func nextPriority(isSpare: Bool) -> WorkPriority? {
        let heads = WorkPriority.allCases.filter { !waiting[$0.rawValue].isEmpty && (!isSpare || isDue($0)) }
        guard starts % Self.fairness == Self.fairness - 1 else { return heads.first }
        return heads.min { waiting[$0.rawValue][0].id < waiting[$1.rawValue][0].id }
    }

    /// Whether fewer pieces run that are as urgent than there are cores.
    private func isDue(_ priority: WorkPriority) -> Bool { running[...priority.rawValue].reduce(0, +) < width }

    // MARK: Loops

    /// - Returns: idle workers to wake, as many as can help.
    mutating func add(_ loop: TileLoop) -> [Int] {
        loops.append(loop)
        let helpers = loop.count - 1
        let count = min(helpers - takeLingering(helpers), idle.count)
        defer { idle.removeLast(count) }
        return Array(idle.suffix(count))
    }

    mutating func remove(_ loop: TileLoop) { loops.removeAll { $0 === loop } }

    private mutating func openLoop() -> TileLoop? {
        loops.removeAll { $0.isHandedOut }
        return loops.min { $0.priority < $1.priority }
    }

    /// Whether a helper of a loop has better to do: something as urgent waits to be started, or something more urgent for help.
    func shouldLeave(_ loop: TileLoop) -> Bool {
        waiting[...loop.priority.rawValue].contains { !$0.isEmpty } || moreUrgentLoop(than: loop) != nil
    }

    func moreUrgentLoop(than loop: TileLoop) -> TileLoop? {
        loops.filter { $0.priority < loop.priority && !$0.isHandedOut }.min { $0.priority < $1.priority }
    }

    // MARK: Lingering

    /// - Returns: whether there may soon be something to do: while a piece of work goes on.
    mutating func beginLingering() -> Bool {
        guard waitingCount == 0, openLoop() == nil, running.contains(where: { $0 > 0 }) else { return false }
        lingering += 1
        return true
    }

    /// What has come meanwhile has counted on this worker or on another that lingers.
    mutating func endLingering() { _ = takeLingering(1) }

    /// Workers, up to so many, that see by themselves what has just come.
    private mutating func takeLingering(_ count: Int) -> Int {
        let taken = min(count, lingering)
        lingering -= taken
        return taken
    }

    var waitingCount: Int { waiting.reduce(0) { $0 + $1.count } }

    var runningCount: Int { running.reduce(0, +) }
}
