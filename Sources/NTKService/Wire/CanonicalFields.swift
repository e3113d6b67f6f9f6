internal import TensorFormats

/// What an object says, in the one way in which all objects that say the same do: fields that are null or have their default are left out, and
/// numbers and arrays stand in one form. It is noted field by field while the object is read, as the reader knows the defaults.
struct CanonicalFields {
    /// Nil for what is left out.
    private var values: [(field: String, value: JSONValue?)] = []

    /// What is written for a field in place of what came; nil to leave it out.
    mutating func set(_ field: String, _ value: JSONValue?) {
        values.removeAll { $0.field == field }
        values.append((field, value))
    }

    /// The object's members, and those that were noted without having come.
    func members(of object: JSONObject) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        for (key, value) in object.members {
            if case .null = value { continue }
            if !values.contains(where: { $0.field.isSame(as: key) }) { members.append((key, value)) }
        }
        for case (let field, let value?) in values { members.append((field, value)) }
        return .object(JSONObject(members: members))
    }
}
