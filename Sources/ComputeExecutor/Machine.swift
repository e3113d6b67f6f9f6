internal import FoundationEssentials

/// What this process may use of the machine: all of it, or what the control groups (version 2) that it is in leave of it.
package enum Machine {
    private static let limits = ControlGroups()

    /// Bytes.
    package static let memoryBytes = min(Int(clamping: ProcessInfo.processInfo.physicalMemory), limits.memoryBytes ?? .max)

    /// Cores that can be busy all the time: a quota of one and a half keeps one.
    package static let cores = max(1, min(ProcessInfo.processInfo.activeProcessorCount, limits.cores.map { Int($0) } ?? .max))
}
