import ArgumentParser
import FoundationEssentials
import Gateway
import Logging

/// Which clients may ask, how often, and from which pages.
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

    @Option(
        help: ArgumentHelp(
            "Name under which clients reach the server, beside localhost and --host, such as ntk.example or *.example; can be repeated; * for "
                + "any. Without keys no other is answered: a web page could have its own name lead here. With keys, only if names are given "
                + "(NTK_ALLOWED_HOSTS, with commas; default: none).", valueName: "host"))
    var allowedHost: [String] = []

    /// The keys; nil if everyone may ask.
    func keyRing() throws -> KeyRing? {
        guard let path = apiKeys ?? Self.environment["NTK_API_KEYS"], !path.isEmpty else { return nil }
        do {
            return try KeyRing(path: path)
        } catch {
            throw ValidationError("Cannot use the keys in \(path): \(error)")
        }
    }

    /// The hosts that a request may name; nil for any.
    func hosts(listening host: String, hasKeys: Bool) throws -> HostRule? {
        var allowed = allowedHost
        if allowed.isEmpty, let text = Self.environment["NTK_ALLOWED_HOSTS"] { allowed = text.split { ", \t".contains($0) }.map(String.init) }
        if allowed.contains("*") {
            guard allowed.count == 1 else { throw ValidationError("--allowed-host: * expected alone; it is every host already.") }
            return nil
        }
        for host in allowed where !HostRule.isHost(host) {
            throw ValidationError("--allowed-host: a name or an address such as ntk.example or *.example expected, without a port; '\(host)' came.")
        }
        // A page of another host does not have a key.
        if hasKeys && allowed.isEmpty { return nil }
        return HostRule(listening: host, isLoopback: HostRule.isLoopback(host), allowed: allowed)
    }

    func control(_ keys: KeyRing?, _ crossOrigin: CrossOrigin, _ hosts: HostRule?) throws -> AccessControl {
        var limit = rateLimit
        if limit == nil, let text = Self.environment["NTK_RATE_LIMIT"], !text.isEmpty {
            guard let given = RateLimit(text) else {
                throw ValidationError("The environment variable NTK_RATE_LIMIT has the value '\(text)'; N/s, N/min, N/h or N/day expected.")
            }
            limit = given
        }
        return AccessControl(
            keys: keys, limiter: limit.map { RateLimiter($0) }, crossOrigin: crossOrigin,
            opensMetrics: try openMetrics || Self.openMetricsSetting.resolve(nil), hosts: hosts)
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

    /// Refuses to serve every client that can reach the port, unless that was asked for.
    func check(host: String, hasKeys: Bool) throws {
        if try hasKeys || HostRule.isLoopback(host) || noAuth || Self.noAuthSetting.resolve(nil) { return }
        throw ValidationError(
            "Without keys the server listens on loopback only (127.0.0.1, ::1, localhost); --host \(host) reaches further. "
                + "Give --api-keys FILE, or --no-auth if whoever reaches the port may ask.")
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
