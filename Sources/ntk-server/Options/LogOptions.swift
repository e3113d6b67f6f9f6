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

    func logger(to writer: LogWriter) throws -> Logger {
        let format = try Self.formatSetting.resolve(logFormat)
        var logger = Logger(label: "ntk-server") { _ in ServerLogHandler(format, to: writer) }
        logger.logLevel = try Self.levelSetting.resolve(logLevel)
        return logger
    }
}
