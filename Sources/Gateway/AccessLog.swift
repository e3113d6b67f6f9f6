internal import HTTP1
internal import HTTPTypes
internal import Logging
internal import Logs
internal import NTKService

/// One line a request: at `info`, but for what machines ask all the time about the server's own state, which is at `debug`, and for faults of
/// the server's own, which are at `error` and named.
struct AccessLog: Sendable {
    let handler: ServerLogHandler

    func record(_ exchange: Exchange, status: Int, fault: String? = nil, fields: HTTPFields, bytes: Int, isWhole: Bool, duration: Duration) {
        let level: Logger.Level = fault != nil ? .error : exchange.resource?.isProbe == true && status < 400 ? .debug : .info
        handler.log(level: level, "request") { line in
            if !isWhole { line.add("aborted", true) }
            line.add("bytes_in", exchange.requestBytes)
            line.add("bytes_out", bytes)
            line.add("duration_ms", milliseconds: duration)
            if let fault { line.add("fault", fault) }
            if let name = exchange.keyName { line.add("key", name) }
            line.add("method", exchange.method?.rawValue ?? "-")
            if let trace = exchange.trace { line.add("parent_id", trace.parentID) }
            line.add("path", exchange.path)
            line.add("remote", exchange.remoteAddress)
            line.add("request_id", fields.value(Self.requestID) ?? "-")
            line.add("route", exchange.resource?.path ?? "none")
            line.add("status", status)
            if let trace = exchange.trace { line.add("trace_id", trace.traceID) }
            if let agent = exchange.userAgent { line.add("user_agent", agent) }
            if let timing = fields.value(Self.serverTiming) { line.add(timing: timing) }
        }
    }

    static let requestID = HTTPField.Name("X-Request-Id") ?? .via
    private static let serverTiming = HTTPField.Name("Server-Timing") ?? .via
}
