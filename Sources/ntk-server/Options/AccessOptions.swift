import ArgumentParser
import FoundationEssentials
import Gateway
import Glibc
import Logging

/// Who may ask, how often, and from which pages.
struct AccessOptions: ParsableArguments {
    private static let openMetricsSetting = Setting(variable: "NTK_OPEN_METRICS", standard: false)
    private static let noAuthSetting = Setting(variable: "NTK_NO_AUTH", standard: false)
    private static let environment = ProcessInfo.processInfo.environment

    @Option(
        help: ArgumentHelp(
            "File of the keys that are let in, as `ntk-server hash-key` writes them; read again on SIGHUP (NTK_API_KEYS; default: none are asked for).",
            valueName: "file"))
    var apiKeys: String?

    @Flag(help: noAuthSetting.help("Listen beyond loopback without keys: whoever reaches the port may ask."))
    var noAuth = false

    @Flag(help: openMetricsSetting.help("Let /metrics be read without a key."))
    var openMetrics = false

    @Option(
        help: ArgumentHelp(
            "Requests that a key, or without keys an address, may make: N/s, N/min, N/h or N/day (NTK_RATE_LIMIT; default: any number).",
            valueName: "limit"))
    var rateLimit: RateLimit?

    @Option(
        help: ArgumentHelp(
            "Origin whose pages may use the server from a browser, such as https://app.example, or *; can be repeated "
                + "(NTK_CORS_ORIGINS, with commas; default: none).", valueName: "origin"))
    var corsOrigin: [String] = []

    /// The keys; nil if everyone may ask.
    func keyRing() throws -> KeyRing? {
        guard let path = apiKeys ?? Self.environment["NTK_API_KEYS"], !path.isEmpty else { return nil }
        do {
            return try KeyRing(path: path)
        } catch {
            throw ValidationError("Cannot use the keys in \(path): \(error)")
        }
    }

    func control(_ keys: KeyRing?, _ crossOrigin: CrossOrigin) throws -> AccessControl {
        var limit = rateLimit
        if limit == nil, let text = Self.environment["NTK_RATE_LIMIT"], !text.isEmpty {
            guard let given = RateLimit(text) else {
                throw ValidationError("The environment variable NTK_RATE_LIMIT has the value '\(text)'; N/s, N/min, N/h or N/day expected.")
            }
            limit = given
        }
        return AccessControl(
            keys: keys, limiter: limit.map { RateLimiter($0) }, crossOrigin: crossOrigin,
            opensMetrics: try openMetrics || Self.openMetricsSetting.resolve(nil))
    }

    func crossOrigin() throws -> CrossOrigin {
        var origins = corsOrigin
        if origins.isEmpty, let text = Self.environment["NTK_CORS_ORIGINS"] {
            origins = text.split { ", \t".contains($0) }.map(String.init)
        }
        if origins.isEmpty { return CrossOrigin(nil) }
        if origins.contains("*") {
            guard origins.count == 1 else { throw ValidationError("--cors-origin: * expected alone; it is every origin already.") }
            return CrossOrigin(.any)
        }
        for origin in origins where !CrossOrigin.isOrigin(origin) {
            throw ValidationError(
                "--cors-origin: an origin such as https://app.example or http://localhost:3000 expected, without a path; '\(origin)' came.")
        }
        return CrossOrigin(.origins(Set(origins)))
    }

    /// Refuses to serve everyone who can reach the port, unless that was asked for.
    func check(host: String, hasKeys: Bool) throws {
        if try hasKeys || Self.isLoopback(host) || noAuth || Self.noAuthSetting.resolve(nil) { return }
        throw ValidationError(
            "Without keys the server listens on loopback only (127.0.0.1, ::1, localhost); --host \(host) reaches further. "
                + "Give --api-keys FILE, or --no-auth if whoever reaches the port may ask.")
    }

    /// Whether a host can only be this machine's own. A name other than localhost may be anything.
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &six) == 1 else { return false }
        let octets = unsafe withUnsafeBytes(of: six) { unsafe Array($0) }
        let isIPv4 = octets[..<10].allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
        return (octets[..<15].allSatisfy { $0 == 0 } && octets[15] == 1) || (isIPv4 && octets[12] == 127)
    }
}

extension KeyRing {
    /// Reads the keys again and says what came of it.
    func reload(_ logger: Logger) {
        do {
            try reload()
            logger.notice("keys reread", metadata: ["keys": .stringConvertible(count)])
        } catch {
            logger.error("keys not reread; those from before stay", metadata: ["error": "\(error)"])
        }
    }
}
