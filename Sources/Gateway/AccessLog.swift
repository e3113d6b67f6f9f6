internal import HTTPTypes
internal import Logging
internal import Logs
internal import NTKService

/// One line a request: at `info`, but for what machines ask all the time about the server's own state, which is at `debug`.
struct AccessLog: Sendable {
    let logger: Logger

    func record(_ exchange: Exchange, status: Int, fields: HTTPFields, bytes: Int, isWhole: Bool, duration: Duration) {
        let level: Logger.Level = exchange.route?.isProbe == true && status < 400 ? .debug : .info
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "bytes_in": .stringConvertible(exchange.requestBytes),
            "bytes_out": .stringConvertible(bytes),
            "duration_ms": .stringConvertible(Self.milliseconds(duration)),
            "method": .string(exchange.method?.rawValue ?? "-"),
            "path": .string(exchange.path),
            "remote": .string(exchange.remoteAddress),
            "request_id": .string(fields[Self.requestID] ?? "-"),
            "route": .string(exchange.route?.rawValue ?? "none"),
            "status": .stringConvertible(status),
        ]
        if let trace = exchange.trace {
            metadata["trace_id"] = .string(trace.traceID)
            metadata["parent_id"] = .string(trace.parentID)
        }
        if let name = exchange.keyName { metadata["key"] = .string(name) }
        if let agent = exchange.userAgent { metadata["user_agent"] = .string(agent) }
        if let timing = fields[Self.serverTiming] { for (name, value) in Self.parts(timing) { metadata[name + "_ms"] = .stringConvertible(value) } }
        if !isWhole { metadata["aborted"] = .stringConvertible(true) }
        logger.log(level: level, "request", metadata: metadata)
    }

    /// `queue;dur=0.1, parse;dur=2` taken apart; the numbers as they stand there.
    private static func parts(_ timing: String) -> [(name: String, milliseconds: LogNumber)] {
        timing.utf8.split(separator: UInt8(ascii: ",")).compactMap { part in
            let part = part.first == UInt8(ascii: " ") ? part.dropFirst() : part
            guard let middle = part.firstIndex(of: UInt8(ascii: ";")), part[middle...].starts(with: ";dur=".utf8) else { return nil }
            return LogNumber(Substring(part[middle...].dropFirst(5))).map { (String(Substring(part[..<middle])), $0) }
        }
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds * 1_000_000 + attoseconds / 1_000_000_000_000) / 1_000
    }

    static let requestID = HTTPField.Name("X-Request-Id") ?? .via
    private static let serverTiming = HTTPField.Name("Server-Timing") ?? .via
}
