internal import Foundation

/// The memory that this process may use.
package enum MachineMemory {
    /// Bytes: the machine's, or the least limit of the control groups (version 2) that the process is in, if that is less.
    package static let bytes = min(Int(clamping: ProcessInfo.processInfo.physicalMemory), controlGroupLimit() ?? .max)

    /// - Parameters:
    ///   - root: where the control groups are.
    ///   - membership: what `/proc/self/cgroup` says.
    package static func controlGroupLimit(
        root: String = "/sys/fs/cgroup", membership: String? = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
    ) -> Int? {
        // Version 2 is the line "0::/path"; inside a container the path is often "/".
        guard let line = membership?.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else { return nil }
        var parts = line.dropFirst(4).split(separator: "/")
        var least: Int?
        while true {
            let file = ([Substring(root)] + parts + ["memory.max"]).joined(separator: "/")
            // "max" is no limit.
            if let text = try? String(contentsOfFile: file, encoding: .utf8), let limit = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)),
                limit > 0
            {
                least = min(least ?? .max, limit)
            }
            guard parts.popLast() != nil else { return least }
        }
    }
}
