/// Where the attempts at a job keep their files: in the job's own directory; or, from the attempt on that took it from a server that hung, in
/// one of its own, `attempt-<number>`. A server that wakes up late writes to a folder that is not read any more: the highest number owns the job.
struct JobPlace: Hashable, Sendable, Comparable {
    private static let prefix = "attempt-"
    private static let most = 1 << 40

    /// Of the attempt that made the place; 0 for the job's own directory.
    let number: Int

    static let own = JobPlace(number: 0)

    init(number: Int) { self.number = number }

    /// Nil if `name` is of no such directory.
    init?(name: String) {
        let digits = name.dropFirst(Self.prefix.count)
        guard name.hasPrefix(Self.prefix), let number = Int(digits), (1...Self.most).contains(number), "\(number)" == digits else { return nil }
        self.number = number
    }

    /// As an outcome names it: empty for the job's own directory.
    var name: String { number == 0 ? "" : "\(Self.prefix)\(number)" }

    /// The path of a file within the job's directory.
    func path(_ file: String) -> String { number == 0 ? file : "\(name)/\(file)" }

    static func < (left: JobPlace, right: JobPlace) -> Bool { left.number < right.number }
}

/// The right to work on a job, for as long as it is held and its holder is not taken for dead.
struct JobClaim: Sendable {
    let place: JobPlace
    let lock: JobLock
    /// Whether it was taken from a server that hung.
    let isTaken: Bool
}
