internal import FoundationEssentials
internal import Glibc

/// What this process may use of the machine: all of it, or what the control groups (version 2) that it is in leave of it.
package enum Machine {
    private static let limits = ControlGroups()

    /// Bytes. Of what a process may have addresses for (`ulimit -v`) half: blocks and heaps have theirs apart.
    package static let memoryBytes = min(
        Int(clamping: ProcessInfo.processInfo.physicalMemory), limits.memoryBytes ?? .max, addressBytes.map { $0 / 2 } ?? .max)

    /// Bytes of addresses that this process may have; nil without a limit.
    private static var addressBytes: Int? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// Cores that can be busy all the time: a quota of one and a half keeps one.
    package static let cores = max(1, min(ProcessInfo.processInfo.activeProcessorCount, limits.cores.map { Int($0) } ?? .max))
}
