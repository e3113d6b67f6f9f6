internal import FoundationEssentials

/// The limits of the control groups (version 2) that a process is in, from its own group up to the root: the least of them counts.
struct ControlGroups {
    /// Bytes; nil without a limit.
    let memoryBytes: Int?
    /// Share of the cores' time, in cores; nil without a limit.
    let cores: Double?

    /// - Parameters:
    ///   - root: where the control groups are.
    ///   - membership: what `/proc/self/cgroup` says.
    init(root: String = "/sys/fs/cgroup", membership: String? = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) {
        // Version 2 is the line "0::/path"; inside a container the path is often "/".
        let line = membership?.split(separator: "\n").first { $0.hasPrefix("0::/") }
        var parts = line?.dropFirst(4).split(separator: "/") ?? []
        var (memory, cores): (Int?, Double?) = (nil, nil)
        while line != nil {
            let group = ([Substring(root)] + parts).joined(separator: "/")
            // "max" is no limit.
            if let limit = Self.words("\(group)/memory.max").first.flatMap({ Int($0) }), limit > 0 { memory = min(memory ?? .max, limit) }
            // Microseconds in each period, and the period.
            let quota = Self.words("\(group)/cpu.max").map { Double($0) }
            if quota.count == 2, let time = quota[0], let period = quota[1], time > 0, period > 0 {
                cores = min(cores ?? .infinity, time / period)
            }
            if parts.popLast() == nil { break }
        }
        (memoryBytes, self.cores) = (memory, cores)
    }

    private static func words(_ file: String) -> [Substring] {
        ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split { $0.isWhitespace }
    }
}
