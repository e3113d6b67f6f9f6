internal import Foundation
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
        let time = LogTime.text(Date.now.timeIntervalSince1970)
        var line = LogLine()
        switch format {
        case .json:
            line.append("{\"time\":\"\(time)\",\"level\":\"\(event.level.rawValue)\",\"message\":")
            line.quote("\(event.message)")
            for (key, value) in all.sorted(by: { $0.key < $1.key }) {
                line.append(",")
                line.quote(key)
                line.append(":")
                line.json(value)
            }
            line.append("}")
        case .text:
            line.append("\(time) \(event.level.rawValue) ")
            line.escape("\(event.message)")
            for (key, value) in all.sorted(by: { $0.key < $1.key }) {
                line.append(" ")
                line.escape(key)
                line.append("=")
                line.json(value)
            }
        }
        writer.write(line.bytes)
    }
}
