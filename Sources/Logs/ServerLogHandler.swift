internal import FoundationEssentials
package import Logging

package enum LogFormat: String, CaseIterable, Sendable {
    /// An object a line.
    case json
    /// For people.
    case text
}

/// Writes one line for each event. Every value is escaped, so that nothing that came from a client can end a line, forge one, or drive a terminal.
package struct ServerLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel = Logger.Level.info
    private let format: LogFormat
    private let writer: LogWriter

    package init(_ format: LogFormat, to writer: LogWriter) {
        self.format = format
        self.writer = writer
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provider = metadataProvider { all.merge(provider.get()) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        var line = begin(event.level, "\(event.message)")
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            switch format {
            case .json:
                line.append(",")
                line.quote(key)
                line.append(":")
            case .text:
                line.append(" ")
                line.escape(key)
                line.append("=")
            }
            line.json(value)
        }
        end(line)
    }

    /// Writes one line with the values that `add` adds, in that order, and no others.
    package func log(level: Logger.Level, _ message: String, _ add: (inout LogFields) -> Void) {
        guard logLevel <= level else { return }
        var fields = LogFields(begin(level, message), format)
        add(&fields)
        end(fields.line)
    }

    private func begin(_ level: Logger.Level, _ message: String) -> LogLine {
        var line = LogLine()
        switch format {
        case .json:
            line.append("{\"time\":\"")
            LogTime.append(.now, to: &line)
            line.append("\",\"level\":\"")
            line.append(level.rawValue)
            line.append("\",\"message\":")
            line.quote(message)
        case .text:
            LogTime.append(.now, to: &line)
            line.append(" ")
            line.append(level.rawValue)
            line.append(" ")
            line.escape(message)
        }
        return line
    }

    private func end(_ line: LogLine) {
        var line = line
        if format == .json { line.append("}") }
        writer.write(line.bytes)
    }
}
