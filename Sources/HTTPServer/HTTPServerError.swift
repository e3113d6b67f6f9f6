/// Why a server could not start.
package enum HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    case cannotResolve(host: String, reason: String)
    case cannotListen(host: String, port: UInt16, reason: String)
    case cannotPoll(reason: String)

    package var description: String {
        switch self {
        case .cannotResolve(let host, let reason): "The host \(host) could not be resolved: \(reason)."
        case .cannotListen(let host, let port, let reason): "Could not listen on \(host), port \(port): \(reason)."
        case .cannotPoll(let reason): "Could not watch sockets: \(reason)."
        }
    }
}
