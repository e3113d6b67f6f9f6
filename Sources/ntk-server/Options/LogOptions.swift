import ArgumentParser
import Logging
import Logs

/// What is logged, and how.
struct LogOptions: ParsableArguments {
    private static let levelSetting = Setting(variable: "NTK_LOG_LEVEL", standard: Logger.Level.info)
    private static let formatSetting = Setting(variable: "NTK_LOG_FORMAT", standard: LogFormat.json)

    @Option(
        help: levelSetting.help(
            "Least severity that is logged: trace, debug, info, notice, warning, error, critical. Each request is a line at info"))
    var logLevel: Logger.Level?

    @Option(help: formatSetting.help("json: an object a line; text: for people."))
    var logFormat: LogFormat?

    func handler(to writer: LogWriter) throws -> ServerLogHandler {
        var handler = ServerLogHandler(try Self.formatSetting.resolve(logFormat), to: writer)
        handler.logLevel = try Self.levelSetting.resolve(logLevel)
        return handler
    }
}
