/// Why a server's identity could not be taken from its files.
package enum TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    case cannotRead(what: String, path: String, reason: String)
    case cannotUse(what: String, path: String, reason: String)
    case keyDoesNotMatch(certificate: String, key: String)
    case library(reason: String)

    package var description: String {
        switch self {
        case .cannotRead(let what, let path, let reason): "The \(what) \(path) cannot be read: \(reason)."
        case .cannotUse(let what, let path, let reason): "The \(what) \(path) cannot be used: \(reason). PEM is expected."
        case .keyDoesNotMatch(let certificate, let key):
            "The private key \(key) does not belong to the certificate \(certificate), which must be the first in its file."
        case .library(let reason): "OpenSSL could not be set up: \(reason)."
        }
    }
}
