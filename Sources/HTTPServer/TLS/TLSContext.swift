private import COpenSSL
import Locks

/// A server's identity and its rules, from which each connection gets its session. The files can be read again while it is in use:
/// sessions that have begun keep what they began with.
package final class TLSContext: Sendable {
    package let files: TLSFiles

    /// Where the `SSL_CTX` is, as a number, since a pointer may not leave a lock. It counts its references: every session holds one.
    private let context: Lock<UInt>

    package init(_ files: TLSFiles) throws(TLSError) {
        self.files = files
        context = Lock(try Self.load(files))
    }

    deinit { context.withLock { unsafe SSL_CTX_free(OpaquePointer(bitPattern: $0)) } }

    /// Reads the files again, for the connections to come. On an error everything stays as it was.
    package func reload() throws(TLSError) {
        let new = try Self.load(files)
        context.withLock { context in
            unsafe SSL_CTX_free(OpaquePointer(bitPattern: context))
            context = new
        }
    }

    /// A session on a socket that was accepted. Nil without memory.
    func session(on socket: Int32) -> TLSSession? {
        let address = context.withLock { unsafe UInt(bitPattern: SSL_new(OpaquePointer(bitPattern: $0))) }
        guard let session = unsafe OpaquePointer(bitPattern: address) else { return nil }
        return unsafe TLSSession(session, on: socket)
    }

    private static func load(_ files: TLSFiles) throws(TLSError) -> UInt {
        ERR_clear_error()
        guard let context = unsafe ntk_tls_context() else { throw .library(reason: reason()) }
        do throws(TLSError) {
            try check("certificate", files.certificate, unsafe SSL_CTX_use_certificate_chain_file(context, files.certificate))
            let status = unsafe SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM)
            if status != 1, ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH {
                throw .keyDoesNotMatch(certificate: files.certificate, key: files.key)
            }
            try check("private key", files.key, status)
            guard unsafe SSL_CTX_check_private_key(context) == 1 else {
                throw .keyDoesNotMatch(certificate: files.certificate, key: files.key)
            }
            if let authorities = files.clientAuthorities {
                try check("client authority", authorities, unsafe SSL_CTX_load_verify_locations(context, authorities, nil))
                unsafe SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authorities))
                let required = files.clientCertificates == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
                unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nil)
            }
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        return UInt(bitPattern: context)
    }

    private static func check(_ what: String, _ path: String, _ status: Int32) throws(TLSError) {
        guard status != 1 else { return }
        let reason = reason()
        if let unreadable = Syscalls.whyUnreadable(path) { throw .cannotRead(what: what, path: path, reason: unreadable) }
        throw .cannotUse(what: what, path: path, reason: reason)
    }

    private static func reason() -> String {
        unsafe ntk_tls_take_error().map { unsafe String(cString: $0) } ?? "no reason was given"
    }
}
