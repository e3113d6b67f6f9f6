import COpenSSL
import Foundation
import Glibc

/// A client's end of TLS on a socket that does not block, to stand before a session of the server in one thread.
@safe
final class TLSClient {
    private let context: OpaquePointer
    private let session: OpaquePointer

    /// - Parameters:
    ///   - version: The only one that is offered, such as TLS1_2_VERSION; 0 for all.
    ///   - protocols: As ALPN has them: each after its length.
    init?(on socket: Int32, version: Int32 = 0, protocols: [UInt8] = [], certificate: (file: String, key: String)? = nil) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()), let session = unsafe SSL_new(context) else { return nil }
        unsafe (self.context, self.session) = (context, session)
        if let certificate {
            guard unsafe SSL_use_certificate_file(session, certificate.file, SSL_FILETYPE_PEM) == 1,
                unsafe SSL_use_PrivateKey_file(session, certificate.key, SSL_FILETYPE_PEM) == 1
            else { return nil }
        }
        if version != 0 {
            _ = unsafe SSL_ctrl(session, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
            _ = unsafe SSL_ctrl(session, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        }
        if !protocols.isEmpty { _ = unsafe SSL_set_alpn_protos(session, protocols, UInt32(protocols.count)) }
        _ = unsafe SSL_set_fd(session, socket)
        unsafe SSL_set_connect_state(session)
    }

    deinit {
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    enum Step: Equatable { case done, waits, failed }

    private func step(_ status: Int32) -> Step {
        if status == 1 { return .done }
        let error = unsafe SSL_get_error(session, status)
        ERR_clear_error()
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? .waits : .failed
    }

    func handshake() -> Step { unsafe step(SSL_do_handshake(session)) }

    func send(_ text: String) -> Bool {
        let octets = Array(text.utf8)
        return unsafe SSL_write(session, octets, Int32(octets.count)) == octets.count
    }

    /// What has come so far.
    func received() -> String {
        var all: [UInt8] = []
        var octets = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = unsafe SSL_read(session, &octets, Int32(octets.count))
            ERR_clear_error()
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += octets[..<Int(count)]
        }
    }

    /// Says that nothing more will come, without waiting for the same from the other side.
    func endSending() { _ = unsafe SSL_shutdown(session) }

    /// Whether the other side has said that nothing more will come.
    var hasEnded: Bool { unsafe SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }

    var chosenProtocol: String {
        var (text, length): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        unsafe SSL_get0_alpn_selected(session, &text, &length)
        return unsafe String(decoding: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self)
    }
}

/// Certificates made by the openssl tool, in a directory that goes with it.
final class TestCertificates {
    let directory = NSTemporaryDirectory() + "certificates-" + UUID().uuidString

    struct ToolFailed: Error {
        var status: Int32
    }

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func path(_ name: String) -> String { directory + "/" + name }

    private func openssl(_ arguments: [String]) throws {
        let tool = Process()
        tool.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tool.arguments = ["openssl"] + arguments
        tool.standardError = FileHandle.nullDevice
        tool.standardOutput = FileHandle.nullDevice
        try tool.run()
        tool.waitUntilExit()
        guard tool.terminationStatus == 0 else { throw ToolFailed(status: tool.terminationStatus) }
    }

    /// A certificate that signs itself and its key: NAME.pem and NAME.key.
    @discardableResult
    func make(_ name: String) throws -> (file: String, key: String) {
        let made = (file: path(name + ".pem"), key: path(name + ".key"))
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=\(name)", "-out",
            made.file,
            "-keyout", made.key,
        ])
        return made
    }

    /// A key that a passphrase protects.
    func protect(_ key: String) throws -> String {
        let made = key + ".protected"
        try openssl(["ec", "-in", key, "-out", made, "-aes128", "-passout", "pass:secret"])
        return made
    }
}
