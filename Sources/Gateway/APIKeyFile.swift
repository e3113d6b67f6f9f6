internal import FoundationEssentials
internal import TensorFormats

/// What is wrong with a file of keys, and where.
package struct APIKeyFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `line 3`, or a JSON pointer.
    package var place: String
    package var detail: String

    package init(place: String, detail: String) {
        self.place = place
        self.detail = detail
    }

    package var description: String { "\(place): \(detail)" }
}

/// A file of keys: lines of `SHA-256 name [expiry]`, with `#` before a comment; or JSON, `{"keys":[{"sha256","name","expires"}]}`.
package enum APIKeyFile {
    package static func parse(_ bytes: [UInt8]) throws(APIKeyFileError) -> [APIKey] {
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let placed = first == UInt8(ascii: "{") ? try json(bytes) : try lines(bytes)
        var places: [KeyDigest: String] = [:]
        for (place, key) in placed {
            if let before = places.updateValue(place, forKey: key.digest) {
                throw APIKeyFileError(place: place, detail: "another key expected; \(before) has the same")
            }
        }
        return placed.map(\.key)
    }

    private static func lines(_ bytes: [UInt8]) throws(APIKeyFileError) -> [(place: String, key: APIKey)] {
        var keys: [(String, APIKey)] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let place = "line \(index + 1)"
            guard let text = String(validating: line, as: UTF8.self) else { throw APIKeyFileError(place: place, detail: "UTF-8 expected") }
            let words = text.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard (2...3).contains(words.count) else {
                throw APIKeyFileError(
                    place: place, detail: "SHA-256, name and perhaps an expiry expected; \(words.count) \(words.count == 1 ? "word" : "words") came")
            }
            keys.append((place, try key(place, sha256: first, name: words[1], expires: words.count == 3 ? words[2] : nil)))
        }
        return keys
    }

    private static func json(_ bytes: [UInt8]) throws(APIKeyFileError) -> [(place: String, key: APIKey)] {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw APIKeyFileError(place: "JSON \(error.pointer)", detail: error.detail)
        }
        guard case .object(let root) = value, root.members.count == 1, let items = root["keys"]?.listElements else {
            throw APIKeyFileError(place: "JSON", detail: "an object with the one member keys, an array of objects, expected")
        }
        var keys: [(String, APIKey)] = []
        for (index, item) in items.enumerated() {
            let place = "/keys/\(index)"
            guard case .object(let object) = item, case .string(let sha256) = object["sha256"], case .string(let name) = object["name"] else {
                throw APIKeyFileError(place: place, detail: "an object with the strings sha256 and name expected")
            }
            var expires: String?
            switch object["expires"] {
            case nil, .null: break
            case .string(let text): expires = text
            default: throw APIKeyFileError(place: place, detail: "a string expected as expires")
            }
            if let other = object.members.first(where: { !["sha256", "name", "expires"].contains($0.key) }) {
                throw APIKeyFileError(place: place, detail: "sha256, name and expires expected; \(other.key.prefix(40)) came")
            }
            keys.append((place, try key(place, sha256: sha256, name: name, expires: expires)))
        }
        return keys
    }

    /// No message repeats what stands in place of the digest: it may be a key.
    private static func key(_ place: String, sha256: String, name: String, expires: String?) throws(APIKeyFileError) -> APIKey {
        guard let digest = KeyDigest(hexadecimal: sha256) else {
            throw APIKeyFileError(
                place: place, detail: "64 hexadecimal digits, the SHA-256 of a key, expected; \(sha256.count) characters came that are not that")
        }
        guard APIKey.isName(name) else {
            throw APIKeyFileError(place: place, detail: "a name of 1 to 64 letters, digits and ._@- expected")
        }
        var expiry: Date?
        if let expires {
            guard let date = APIKey.date(expires) else {
                throw APIKeyFileError(
                    place: place, detail: "an expiry such as 2027-01-31 or 2027-01-31T12:00:00Z expected; \(expires.prefix(40)) came")
            }
            expiry = date
        }
        return APIKey(digest: digest, name: name, expiry: expiry)
    }
}
