internal import NTK
internal import TensorFormats

/// Reads an activation that stands by itself: its name, and its parameters where it has some.
enum ActivationWire {
    /// nil if there is no activation of this name.
    private static func activation(_ name: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Activation? {
        try ActivationRecords.all.first { $0.name == name }?.read(&reader)
    }

    /// An activation on its own: a name, or an object where it has parameters; relu if there is none.
    /// - Returns: also its canonical form if that is asked for: nil for relu, a name where there are no parameters but defaults.
    static func named(
        _ value: JSONValue?, at pointer: String, isCanonical: Bool = false
    ) throws(ProblemDetails) -> (activation: Activation, canonical: JSONValue?) {
        switch value {
        case nil: return (.relu, nil)
        case .string(let name):
            var reader = try ObjectReader(.object(JSONObject(members: [])), at: pointer)
            if let activation = try activation(name, &reader) { return (activation, name == "relu" ? nil : .string(name)) }
        case .some(let object):
            if case .object(let members) = object, case .string(let name) = members["type"] {
                var reader = try ObjectReader(object, at: pointer, isCanonical: isCanonical)
                _ = reader.optional("type")
                if let activation = try activation(name, &reader) {
                    try reader.finish()
                    guard case .object(let fields)? = reader.canonical, fields.members.count == 1 else { return (activation, reader.canonical) }
                    return (activation, name == "relu" ? nil : .string(name))
                }
            }
        }
        throw .invalid(
            pointer,
            "an activation expected, one of \(ActivationRecords.all.map(\.name).joined(separator: ", ")), as a name or as an object with its type and parameters"
        )
    }
}
