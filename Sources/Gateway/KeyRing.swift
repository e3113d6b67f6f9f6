package import FoundationEssentials
internal import HTTP1
package import HTTPTypes
internal import Locks

/// The keys that are let in, read again when that is asked for.
package final class KeyRing: Sendable {
    /// The client that a key belongs to.
    package enum Identity: Sendable, Equatable {
        case known(name: String)
        case expired(name: String)
        /// A key that is none of ours, or credentials of another kind.
        case unknown
        /// No credentials.
        case none
    }

    private let read: @Sendable () throws(APIKeyFileError) -> [APIKey]
    private let keys: Lock<[APIKey]>

    package convenience init(path: String) throws(APIKeyFileError) {
        try self.init { () throws(APIKeyFileError) in
            guard let data = FileManager.default.contents(atPath: path) else {
                throw APIKeyFileError(place: path, detail: "a file that can be read expected")
            }
            return try APIKeyFile.parse(Array(data))
        }
    }

    package init(_ read: @escaping @Sendable () throws(APIKeyFileError) -> [APIKey]) throws(APIKeyFileError) {
        self.read = read
        keys = Lock(try read())
    }

    package var count: Int { keys.withLock { $0.count } }

    /// Reads the keys again; when that fails, those from before stay.
    ///
    /// A file without a key is a fault, too: it is more likely half written than meant to lock everyone out.
    package func reload() throws(APIKeyFileError) {
        let new = try read()
        guard !new.isEmpty else { throw APIKeyFileError(place: "the file", detail: "a key at least expected; end the server to let nobody in") }
        keys.withLock { $0 = new }
    }

    /// Reads `Authorization: Bearer KEY` (RFC 6750 §2.1). Every key is compared, whichever fits.
    package func identify(_ head: HTTPRequest, at time: Date) -> Identity {
        guard let field = head.headerFields[.authorization] else { return .none }
        let parts = field.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard parts.count == 2, Substring(parts[0]).asciiLowercased == "bearer", parts[1].allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return .unknown
        }
        let digest = KeyDigest(of: String(Substring(parts[1])))
        var found: APIKey?
        for key in keys.withLock({ $0 }) where key.digest.equalsInConstantTime(digest) { found = key }
        guard let found else { return .unknown }
        if let expiry = found.expiry, expiry <= time { return .expired(name: found.name) }
        return .known(name: found.name)
    }
}
