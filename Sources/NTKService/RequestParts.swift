internal import TensorFormats

/// A request that is put together from parts, each under a name whose dots lead into nested objects; below `parameters` the rest of the name
/// is one key. Takes time in proportion to the parts.
final class RequestParts {
    private enum Node {
        case value(JSONValue)
        case parts(RequestParts)
    }

    /// Objects within each other: as many as a JSON text may have.
    private static let mostLevels = 64

    private var nodes: [(key: String, node: Node)]
    /// By the bytes of a key: `String ==` would let different texts pass as equal.
    private var places: [[UInt8]: Int] = [:]

    /// - Throws: if it is no object.
    convenience init(_ value: JSONValue) throws(ProblemDetails) { try self.init(value, at: "") }

    private init(_ value: JSONValue, at pointer: String) throws(ProblemDetails) {
        guard case .object(let object) = value else {
            throw .invalid(pointer, "an object expected, into which a part of the body goes; \(value.kindName) came")
        }
        nodes = object.members.map { ($0.key, .value($0.value)) }
        // Of equal keys, which a parser refuses, the first counts.
        for (place, member) in nodes.enumerated() where places[Array(member.key.utf8)] == nil { places[Array(member.key.utf8)] = place }
    }

    init() { nodes = [] }

    /// - Throws: if there is such a value already, or something else than an object on the way to it.
    func insert(_ value: JSONValue, at name: String) throws(ProblemDetails) {
        var (parts, rest, pointer) = (self, Substring(name), "")
        var isParameters = false
        for _ in 0..<Self.mostLevels {
            let dot = isParameters ? nil : rest.utf8.firstIndex(of: UInt8(ascii: "."))
            let key = String(rest[..<(dot ?? rest.endIndex)])
            pointer += "/" + key.jsonPointerToken
            guard let dot else { return try parts.add(value, at: key, pointer: pointer) }
            parts = try parts.nested(key, pointer: pointer)
            rest = rest[rest.utf8.index(after: dot)...]
            isParameters = key == "parameters"
        }
        throw .invalid("", "a name of at most \(Self.mostLevels) parts, between dots, expected; \"\(name.prefix(80))\" has more")
    }

    private func add(_ value: JSONValue, at key: String, pointer: String) throws(ProblemDetails) {
        guard places.updateValue(nodes.count, forKey: Array(key.utf8)) == nil else {
            throw .repeated("the field \(pointer)", at: pointer)
        }
        nodes.append((key, .value(value)))
    }

    /// The parts of an object, which is made if there is none.
    private func nested(_ key: String, pointer: String) throws(ProblemDetails) -> RequestParts {
        guard let place = places[Array(key.utf8)] else {
            let new = RequestParts()
            places[Array(key.utf8)] = nodes.count
            nodes.append((key, .parts(new)))
            return new
        }
        switch nodes[place].node {
        case .parts(let known): return known
        case .value(let value):
            let parts = try RequestParts(value, at: pointer)
            nodes[place].node = .parts(parts)
            return parts
        }
    }

    /// All of it as one value.
    var value: JSONValue {
        .object(
            JSONObject(
                members: nodes.map { key, node in
                    switch node {
                    case .value(let value): (key, value)
                    case .parts(let parts): (key, parts.value)
                    }
                }))
    }
}
