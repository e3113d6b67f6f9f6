internal import FoundationEssentials
internal import Glibc

/// What the kernel says of this process, under the names that every Prometheus client uses.
package enum ProcessMetrics {
    package static func register(in registry: MetricRegistry) {
        registry.observed("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", .counter) {
            Statistics.now()?.cpuSeconds
        }
        registry.observed("process_resident_memory_bytes", "Resident memory size in bytes.", .gauge) { Statistics.now()?.residentBytes }
        registry.observed("process_virtual_memory_bytes", "Virtual memory size in bytes.", .gauge) { Statistics.now()?.virtualBytes }
        registry.observed("process_threads", "Number of threads.", .gauge) { Statistics.now()?.threads }
        registry.observed("process_open_fds", "Number of open file descriptors.", .gauge) {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) }
        }
        registry.observed("process_max_fds", "Maximum number of open file descriptors.", .gauge) {
            line("/proc/self/limits", "Max open files").flatMap { $0.split(separator: " ").dropFirst(3).first }.flatMap { Double($0) }
        }
        let start = Statistics.now()?.startSeconds
        registry.observed("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", .gauge) { start }
    }

    /// From `/proc/self/stat` (proc(5)).
    private struct Statistics {
        var cpuSeconds, residentBytes, virtualBytes, threads: Double
        /// Nil where the time of boot is not told.
        var startSeconds: Double?

        static func now() -> Statistics? {
            // The name, in parentheses, may hold anything; the third field follows the last parenthesis.
            guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
            let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
            func field(_ number: Int) -> Double { fields.indices.contains(number - 3) ? fields[number - 3] : 0 }
            let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
            let boot = line("/proc/stat", "btime ").flatMap { Double($0.dropFirst(6)) }
            return Statistics(
                cpuSeconds: (field(14) + field(15)) / ticks, residentBytes: field(24) * Double(sysconf(Int32(_SC_PAGESIZE))),
                virtualBytes: field(23), threads: field(20), startSeconds: boot.map { $0 + field(22) / ticks })
        }
    }

    private static func line(_ path: String, _ start: String) -> Substring? { read(path)?.split(separator: "\n").first { $0.hasPrefix(start) } }

    private static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
