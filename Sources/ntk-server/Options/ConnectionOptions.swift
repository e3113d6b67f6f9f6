import ArgumentParser
import HTTPServer

/// How many connections there may be, and how slow their clients.
struct ConnectionOptions: ParsableArguments {
    private static let connectionsSetting = Setting(variable: "NTK_MAX_CONNECTIONS", standard: 0)
    private static let addressSetting = Setting(variable: "NTK_MAX_CONNECTIONS_PER_ADDRESS", standard: 1_000)
    private static let headerSetting = Setting(variable: "NTK_HEADER_TIMEOUT", standard: Seconds(10))
    private static let bodySetting = Setting(variable: "NTK_BODY_TIMEOUT", standard: Seconds(30))
    private static let bodyRateSetting = Setting(variable: "NTK_MIN_BODY_RATE", standard: 500)
    private static let answerSetting = Setting(variable: "NTK_ANSWER_TIMEOUT", standard: Seconds(60))
    private static let answerRateSetting = Setting(variable: "NTK_MIN_ANSWER_RATE", standard: 500)
    private static let idleSetting = Setting(variable: "NTK_IDLE_TIMEOUT", standard: Seconds(75))

    @Option(help: connectionsSetting.help("Connections at once; more are refused with 503", unit: ": as many as file descriptors allow"))
    var maxConnections: Int?

    @Option(
        help: addressSetting.help(
            "Connections at once from one IPv4 address or IPv6 /64; more are refused with 503; 0 for any number, as behind a proxy."))
    var maxConnectionsPerAddress: Int?

    @Option(help: headerSetting.help("Seconds that a header section may take as a whole, and a TLS handshake; then 408."))
    var headerTimeout: Seconds?

    @Option(help: bodySetting.help("Seconds that a body may bring nothing, or fall behind its least rate; then 408."))
    var bodyTimeout: Seconds?

    @Option(help: bodyRateSetting.help("Least rate of a body in the long run; 0 for any", unit: " bytes/s"))
    var minBodyRate: Int?

    @Option(help: answerSetting.help("Seconds that a client may take nothing of an answer, or fall behind the least rate; then a reset."))
    var answerTimeout: Seconds?

    @Option(help: answerRateSetting.help("Least rate in the long run at which a client takes an answer; 0 for any", unit: " bytes/s"))
    var minAnswerRate: Int?

    @Option(help: idleSetting.help("Seconds a connection may wait for its next request."))
    var idleTimeout: Seconds?

    func apply(to configuration: inout HTTPServerConfiguration) throws {
        configuration.maximumConnections = try count(Self.connectionsSetting.resolve(maxConnections), "--max-connections")
        configuration.maximumConnectionsPerAddress = try count(
            Self.addressSetting.resolve(maxConnectionsPerAddress), "--max-connections-per-address")
        configuration.headerTimeout = try Self.headerSetting.resolve(headerTimeout).duration
        configuration.handshakeTimeout = configuration.headerTimeout
        configuration.bodyTimeout = try Self.bodySetting.resolve(bodyTimeout).duration
        configuration.bodyRate = try count(Self.bodyRateSetting.resolve(minBodyRate), "--min-body-rate")
        configuration.writeTimeout = try Self.answerSetting.resolve(answerTimeout).duration
        configuration.answerRate = try count(Self.answerRateSetting.resolve(minAnswerRate), "--min-answer-rate")
        configuration.idleTimeout = try Self.idleSetting.resolve(idleTimeout).duration
    }

    private func count(_ value: Int, _ option: String) throws -> Int {
        guard value >= 0 else { throw ValidationError("\(option) must not be negative.") }
        return value
    }
}
