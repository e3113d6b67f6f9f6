import ArgumentParser
import Batching
import ContentCoding
import Foundation
import Gateway
import HTTPServer
import Jobs
import NTKService
import Testing

@testable import ntk_server

/// What the command line says, as the parts of the server are told, and what is refused before anything is started.
struct OptionsTests {
    private func serve(_ arguments: String...) throws -> Serve { try Serve.parse(arguments) }

    /// That the line, or what is made of it, is refused with these words.
    private func expectRefusal(_ arguments: [String], _ words: String, _ use: (Serve) throws -> Void = { _ in }) {
        do {
            try use(Serve.parse(arguments))
            Issue.record("\(arguments) were taken")
        } catch {
            let message = Serve.message(for: error)
            #expect(message.contains(words), "\(arguments): \(message)")
        }
    }

    @Test func standards() throws {
        let serve = try serve()
        var configuration = HTTPServerConfiguration()
        try serve.connections.apply(to: &configuration)
        #expect(configuration.headerTimeout == .seconds(10) && configuration.bodyTimeout == .seconds(30))
        #expect(configuration.writeTimeout == .seconds(60) && configuration.idleTimeout == .seconds(75))
        #expect(configuration.maximumConnectionsPerAddress == 1_000 && configuration.bodyRate == 500 && configuration.answerRate == 500)
        #expect(try serve.tls.context() == nil && serve.access.keyRing() == nil)
        #expect(try serve.ending.delay() == .zero && serve.ending.timeout() == .seconds(30))
        let (limits, usual) = (try serve.jobOptions.limits(), JobBoard.Limits())
        #expect(limits.unfinished == usual.unfinished && limits.workers == usual.workers && limits.bytes == usual.bytes)
        #expect(try serve.jobOptions.mostSeconds() == 604_800)
        #expect(try serve.contentCoding.configuration(maximumBodyBytes: 77).maximumInflatedOctets == 77)
        #expect(try serve.capacity.capacity().batching != nil)
    }

    @Test func connections() throws {
        var configuration = HTTPServerConfiguration()
        try serve(
            "--max-connections", "12", "--max-connections-per-address", "0", "--header-timeout", "1.5", "--body-timeout", "2", "--min-body-rate", "0",
            "--answer-timeout", "3", "--min-answer-rate", "9", "--idle-timeout", "4"
        ).connections.apply(to: &configuration)
        #expect(configuration.maximumConnections == 12 && configuration.maximumConnectionsPerAddress == 0)
        #expect(configuration.headerTimeout == .milliseconds(1_500) && configuration.handshakeTimeout == configuration.headerTimeout)
        #expect(configuration.bodyTimeout == .seconds(2) && configuration.bodyRate == 0)
        #expect(configuration.writeTimeout == .seconds(3) && configuration.answerRate == 9 && configuration.idleTimeout == .seconds(4))
        for option in ["--max-connections", "--max-connections-per-address", "--min-body-rate", "--min-answer-rate"] {
            expectRefusal(["\(option)=-1"], "\(option) must not be negative") { try $0.connections.apply(to: &configuration) }
        }
        for option in ["--header-timeout", "--body-timeout", "--answer-timeout", "--idle-timeout"] { expectRefusal([option, "0"], option) }
    }

    @Test func capacity() throws {
        let capacity = try serve("--batch-max-rows", "7", "--batch-max-delay", "0.5", "--batch-queue", "3", "--batch-queue-bytes", "1000").capacity
            .capacity()
        let batching = try #require(capacity.batching)
        #expect(batching.batchWeight == 7 && batching.delay == .milliseconds(500) && batching.queueItems == 3 && batching.queueBytes == 1_000)
        #expect(try serve("--batch-max-rows", "1").capacity.capacity().batching == nil)
        for option in ["--batch-max-rows", "--batch-queue", "--batch-queue-bytes", "--memory-budget"] {
            expectRefusal([option, "0"], "\(option) must be at least 1") { _ = try $0.capacity.capacity() }
        }
        for delay in ["-0.1", "60.5", "nan", "inf"] {
            expectRefusal(["--batch-max-delay=\(delay)"], "--batch-max-delay must be from 0 to 60") { _ = try $0.capacity.capacity() }
        }
        expectRefusal(["--memory-wait", "0"], "--memory-wait")
        expectRefusal(["--memory-budget", "\(1 << 50)"], "twice as many bytes of addresses") { _ = try $0.capacity.capacity() }
    }

    @Test func jobs() throws {
        let limits = try serve(
            "--job-workers", "0", "--job-queue", "5", "--job-attempts", "2", "--job-lease", "3", "--job-retention", "0", "--job-storage", "99"
        ).jobOptions.limits()
        #expect(limits.workers == 0 && limits.unfinished == 5 && limits.losses == 2)
        #expect(limits.leaseSeconds == 3 && limits.retentionSeconds == 0 && limits.bytes == 99)
        for (arguments, words) in [
            ("--job-workers=-1", "--job-workers must be at least 0"), ("--job-queue=0", "--job-queue must be at least 1"),
            ("--job-attempts=0", "--job-attempts must be at least 1"), ("--job-lease=2.9", "--job-lease must be at least 3"),
            ("--job-lease=nan", "--job-lease must be at least 3"), ("--job-retention=-1", "--job-retention must be at least 0"),
            ("--job-storage=0", "--job-storage must be at least 1"),
        ] { expectRefusal([arguments], words) { _ = try $0.jobOptions.limits() } }
    }

    @Test func ending() throws {
        let ending = try serve("--drain-delay", "0.25", "--drain-timeout", "7").ending
        #expect(try ending.delay() == .milliseconds(250) && ending.timeout() == .seconds(7))
        for delay in ["-1", "nan", "1e9"] {
            expectRefusal(["--drain-delay=\(delay)"], "--drain-delay must not be negative") { _ = try $0.ending.delay() }
        }
        expectRefusal(["--drain-timeout", "-5"], "--drain-timeout")
    }

    @Test func gzip() throws {
        let configuration = try serve("--gzip", "false", "--max-gzip-ratio", "3").contentCoding.configuration(maximumBodyBytes: 1)
        #expect(!configuration.isEnabled && configuration.maximumRatio == 3)
        expectRefusal(["--max-gzip-ratio", "0"], "--max-gzip-ratio must be at least 1") {
            _ = try $0.contentCoding.configuration(maximumBodyBytes: 1)
        }
        expectRefusal(["--gzip", "perhaps"], "--gzip")
    }

    @Test func whatIsNoOptionIsRefused() {
        expectRefusal(["--no-such-option"], "Unknown option '--no-such-option'")
        expectRefusal(["left over"], "left over")
        for (option, value) in [
            ("--port", "http"), ("--workers", "1.5"), ("--log-level", "loud"), ("--log-format", "xml"), ("--rate-limit", "5/fortnight"),
        ] {
            expectRefusal([option, value], option)
        }
    }

    // MARK: Access

    @Test func withoutKeysTheServerStaysOnLoopback() throws {
        for host in ["127.0.0.1", "::1", "localhost"] { try serve().access.check(host: host, hasKeys: false) }
        for host in ["0.0.0.0", "::", "192.0.2.1", "ntk.example"] {
            expectRefusal([], "reaches further") { try $0.access.check(host: host, hasKeys: false) }
            try serve().access.check(host: host, hasKeys: true)
            try serve("--no-auth").access.check(host: host, hasKeys: false)
        }
    }

    @Test func hosts() throws {
        let rule = try #require(
            try serve("--allowed-host", "ntk.example", "--allowed-host", "*.example.net").access.hosts(listening: "127.0.0.1", hasKeys: false))
        #expect(rule.allows("ntk.example") && rule.allows("a.example.net") && rule.allows("localhost") && !rule.allows("evil.example"))
        #expect(try serve("--allowed-host", "*").access.hosts(listening: "127.0.0.1", hasKeys: false) == nil)
        // A page of another host does not have a key, so that names need not be told apart.
        #expect(try serve().access.hosts(listening: "127.0.0.1", hasKeys: true) == nil)
        #expect(try serve("--allowed-host", "ntk.example").access.hosts(listening: "127.0.0.1", hasKeys: true) != nil)
        expectRefusal(["--allowed-host", "*", "--allowed-host", "ntk.example"], "* expected alone") {
            _ = try $0.access.hosts(listening: "::1", hasKeys: false)
        }
        for name in ["ntk.example:8080", "https://ntk.example", "a b", ""] {
            expectRefusal(["--allowed-host", name], "without a port") { _ = try $0.access.hosts(listening: "::1", hasKeys: false) }
        }
    }

    @Test func origins() throws {
        _ = try serve("--cors-origin", "https://app.example").access.crossOrigin()
        expectRefusal(["--cors-origin", "*", "--cors-origin", "https://app.example"], "* expected alone") { _ = try $0.access.crossOrigin() }
        for origin in ["app.example", "https://app.example/", "https://app.example/page", ""] {
            expectRefusal(["--cors-origin", origin], "without a path") { _ = try $0.access.crossOrigin() }
        }
    }

    @Test func keys() throws {
        expectRefusal(["--api-keys", "/no/such/file"], "Cannot use the keys in /no/such/file") { _ = try $0.access.keyRing() }
        let path = NSTemporaryDirectory() + "keys-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data((APIKey(digest: KeyDigest(of: "a key of sixteen+"), name: "alice", expiry: nil).line + "\n").utf8).write(
            to: URL(fileURLWithPath: path))
        #expect(try serve("--api-keys", path).access.keyRing()?.count == 1)
    }

    // MARK: TLS and the data directory

    @Test func aCertificateNeedsItsKey() {
        for arguments in [["--tls-certificate", "c.pem"], ["--tls-key", "k.pem"], ["--tls-client-ca", "a.pem"]] {
            expectRefusal(arguments, "TLS needs both") { _ = try $0.tls.context() }
        }
        expectRefusal(["--tls-certificate", "/no/c.pem", "--tls-key", "/no/k.pem"], "The certificate /no/c.pem cannot be read") {
            _ = try $0.tls.context()
        }
        expectRefusal(["--tls-client-certificates", "sometimes"], "--tls-client-certificates")
    }

    @Test func theDataDirectoryIsMadeAndOneOfTheProcessGoes() throws {
        let path = NSTemporaryDirectory() + "data-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(path: path + "/a/b")
        #expect(FileManager.default.fileExists(atPath: path + "/a/b"))
        directory.removeIfTemporary()
        #expect(FileManager.default.fileExists(atPath: path + "/a/b"))
        let own = try DataDirectory(path: "")
        #expect(FileManager.default.fileExists(atPath: own.path))
        own.removeIfTemporary()
        #expect(!FileManager.default.fileExists(atPath: own.path))
        try Data().write(to: URL(fileURLWithPath: path + "/file"))
        #expect(throws: ValidationError.self) { try DataDirectory(path: path + "/file/inside") }
    }

    // MARK: Other commands

    @Test func keysAreHashedUnderAName() throws {
        for name in ["", "a b", String(repeating: "a", count: 65)] {
            #expect(throws: ValidationError.self, "\(name)") { try HashKey.parse([name, "--generate"]).run() }
        }
        #expect(throws: ValidationError.self) { try HashKey.parse(["alice", "--generate", "--expires", "tomorrow"]).run() }
    }

    @Test func healthAsksAPort() {
        for port in ["0", "-1", "65536"] { #expect(throws: ValidationError.self) { try Health.parse(["--port=\(port)"]).run() } }
        // Nobody listens there: port 1 of loopback.
        #expect(throws: ExitCode.self) { try Health.parse(["--port", "1", "--timeout", "1"]).run() }
    }

    @Test func theCommandHasThese() {
        #expect(NTKServerCommand.configuration.version == NTKService.version)
        #expect(NTKServerCommand.configuration.subcommands.map { $0._commandName } == ["serve", "health", "hash-key"])
    }
}
