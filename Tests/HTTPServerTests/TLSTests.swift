import COpenSSL
import Foundation
import Glibc
import Testing

@testable import HTTPServer

/// Contexts and sessions before a client in the same thread, on two ends of one connection.
final class TLSTests {
    private let certificates: TestCertificates
    private let server: (file: String, key: String)
    private var sockets: [Int32] = []

    init() throws {
        certificates = try TestCertificates()
        server = try certificates.make("server")
    }

    deinit { for socket in sockets { _ = close(socket) } }

    private func connected() throws -> (server: Int32, client: Int32) {
        var pair: [Int32] = [0, 0]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair) == 0)
        sockets += pair
        return (pair[0], pair[1])
    }

    private func files(clientAuthorities: String? = nil, _ clients: TLSFiles.ClientCertificates = .required) -> TLSFiles {
        TLSFiles(certificate: server.file, key: server.key, clientAuthorities: clientAuthorities, clientCertificates: clients)
    }

    /// Both sides in turn until each is done or one has failed.
    private func shakeHands(_ session: TLSSession, _ client: TLSClient) -> (isServerDone: Bool, isClientDone: Bool) {
        var done = (false, false)
        for _ in 0..<20 {
            if !done.1 {
                switch client.handshake() {
                case .done: done.1 = true
                case .waits: break
                case .failed: return done
                }
            }
            if !done.0 {
                switch session.handshake() {
                case .done: done.0 = true
                case .wantsReading, .wantsWriting: break
                case .failed:
                    _ = client.handshake()
                    return done
                }
            }
            if done == (true, true) { break }
        }
        return done
    }

    private func received(_ session: TLSSession, capacity: Int = 1 << 14) -> String {
        var buffer = [UInt8](repeating: 0, count: capacity)
        return switch session.receive(into: &buffer) {
        case .octets(let count): String(decoding: buffer[..<count], as: UTF8.self)
        case .end: "(end)"
        case .wouldBlock: "(nothing)"
        case .failed: "(failed)"
        }
    }

    private func established(_ context: TLSContext, version: Int32 = 0) throws -> (session: TLSSession, client: TLSClient) {
        let ends = try connected()
        let session = try #require(context.session(on: ends.server))
        let client = try #require(TLSClient(on: ends.client, version: version))
        try #require(shakeHands(session, client) == (true, true))
        return (session, client)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func octetsGoBothWays(version: Int32) throws {
        let (session, client) = try established(TLSContext(files()), version: version)
        #expect(received(session) == "(nothing)" && !session.hasUnread)
        #expect(client.send("a question"))
        guard case .octets(1) = session.peek() else {
            Issue.record("something to receive expected")
            return
        }
        // More than was asked for has been taken from the socket.
        #expect(received(session, capacity: 4) == "a qu" && session.hasUnread)
        #expect(received(session) == "estion" && received(session) == "(nothing)")
        guard case .octets(9) = session.send(Array("..an answer".utf8), from: 2) else {
            Issue.record("nine octets expected")
            return
        }
        #expect(client.received() == "an answer")
    }

    @Test func theEndIsSaidAndHeard() throws {
        let (session, client) = try established(TLSContext(files()))
        #expect(session.endSending() && client.received() == "" && client.hasEnded)
        #expect(session.endSending(), "once is enough")
        client.endSending()
        #expect(received(session) == "(end)")
    }

    /// A client that goes without a word has ended: HTTP tells a message that was cut from a whole one.
    @Test func aClientThatGoesHasEnded() throws {
        let (session, client) = try established(TLSContext(files()))
        #expect(client.send("half"))
        _ = shutdown(sockets[1], Int32(SHUT_RDWR))
        #expect(received(session) == "half" && received(session) == "(end)")
    }

    /// What is no TLS, and versions that are no longer safe.
    @Test func whatIsNotWantedFails() throws {
        let context = try TLSContext(files())
        let ends = try connected()
        let session = try #require(context.session(on: ends.server))
        _ = unsafe send(ends.client, "GET / HTTP/1.1\r\n\r\n", 18, 0)
        guard case .failed = session.handshake(), case .failed = session.handshake() else {
            Issue.record("a failure expected, and for good")
            return
        }
        guard case .failed = session.send([1], from: 0) else {
            Issue.record("nothing to be sent expected")
            return
        }
        let old = try connected()
        let oldSession = try #require(context.session(on: old.server))
        #expect(shakeHands(oldSession, try #require(TLSClient(on: old.client, version: TLS1_1_VERSION))) == (false, false))
    }

    @Test func onlyHTTP1IsChosen() throws {
        let context = try TLSContext(files())
        for (offered, chosen) in [("\u{02}h2\u{08}http/1.1", "http/1.1"), ("", ""), ("\u{02}h2", nil)] {
            let ends = try connected()
            let session = try #require(context.session(on: ends.server))
            let client = try #require(TLSClient(on: ends.client, protocols: Array(offered.utf8)))
            let isDone = shakeHands(session, client) == (true, true)
            #expect(isDone == (chosen != nil) && (!isDone || client.chosenProtocol == chosen), "\(offered)")
        }
    }

    /// A client's certificate: one that the authority has signed, none, and another.
    @Test func clientCertificates() throws {
        let (known, unknown) = (try certificates.make("known"), try certificates.make("unknown"))
        for rule in TLSFiles.ClientCertificates.allCases {
            let context = try TLSContext(files(clientAuthorities: known.file, rule))
            for (certificate, isServed) in [(known, true), (nil, rule == .optional), (unknown, false)] as [((file: String, key: String)?, Bool)] {
                let ends = try connected()
                let session = try #require(context.session(on: ends.server))
                let client = try #require(TLSClient(on: ends.client, certificate: certificate))
                #expect(shakeHands(session, client).isServerDone == isServed, "\(rule) \(certificate?.file ?? "none")")
            }
        }
    }

    /// Sessions that have begun keep the identity that they began with; a reload that fails changes nothing.
    @Test func filesAreReadAgain() throws {
        let context = try TLSContext(files())
        let before = try established(context)
        let other = try certificates.make("other")
        for (from, to) in [(other.file, server.file), (other.key, server.key)] {
            try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to))
        }
        try context.reload()
        #expect(before.client.send("still here") && received(before.session) == "still here")
        _ = try established(context)
        try Data("nothing".utf8).write(to: URL(fileURLWithPath: server.file))
        #expect(throws: TLSError.self) { try context.reload() }
        _ = try established(context)
    }

    @Test func badFilesAreToldApart() throws {
        let other = try certificates.make("other")
        let text = certificates.path("text.pem")
        try Data("no certificate".utf8).write(to: URL(fileURLWithPath: text))
        func fault(_ certificate: String, _ key: String, _ authorities: String? = nil) -> TLSError? {
            do throws(TLSError) {
                _ = try TLSContext(TLSFiles(certificate: certificate, key: key, clientAuthorities: authorities))
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(server.file, server.key) == nil)
        #expect(fault(server.file, other.key) == .keyDoesNotMatch(certificate: server.file, key: other.key))
        for (certificate, key, authorities, what) in [
            (certificates.path("none"), server.key, nil, "certificate"), (server.file, certificates.path("none"), nil, "private key"),
            (server.file, server.key, certificates.path("none"), "client authority"),
        ] as [(String, String, String?, String)] {
            guard case .cannotRead(what, certificates.path("none"), _)? = fault(certificate, key, authorities) else {
                Issue.record("a file that cannot be read expected: \(what)")
                continue
            }
        }
        guard case .cannotUse("certificate", text, _)? = fault(text, server.key) else {
            Issue.record("a file without a certificate expected")
            return
        }
        // Nobody is there to type a passphrase.
        let protected = try certificates.protect(server.key)
        guard case .cannotUse("private key", protected, _)? = fault(server.file, protected) else {
            Issue.record("a refusal of the passphrase expected")
            return
        }
    }
}
