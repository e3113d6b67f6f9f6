internal import NTK
internal import TensorFormats

/// Reads an activation: its name, and its parameters where it has some.
enum ActivationWire {
    static let names = ["relu", "leaky_relu", "ab_relu", "abs", "erf", "sigmoid_like"]

    /// nil if there is no activation of this name.
    static func activation(_ name: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Activation? {
        switch name {
        case "relu": .relu
        case "leaky_relu": .abRelu(a: try reader.number("alpha", default: 0.01), b: 1)
        case "ab_relu": .abRelu(a: try reader.requiredNumber("a"), b: try reader.requiredNumber("b"))
        case "abs": .abRelu(a: -1, b: 1)
        case "erf": .erf(a: try reader.number("a", default: 1), b: try reader.number("b", default: 1), c: try reader.number("c", default: 0))
        case "sigmoid_like": .erf(a: 0.5, b: 1 / 2.4020563531719796, c: 0.5)
        default: nil
        }
    }

    /// An activation on its own: a name, or an object where it has parameters; relu if there is none.
    static func named(_ value: JSONValue?, at pointer: String) throws(ProblemDetails) -> Activation {
        switch value {
        case nil: return .relu
        case .string(let name):
            var reader = try ObjectReader(.object(JSONObject(members: [])), at: pointer)
            if let activation = try activation(name, &reader) { return activation }
        case .some(let object):
            if case .object(let members) = object, case .string(let name) = members["type"] {
                var reader = try ObjectReader(object, at: pointer)
                _ = reader.optional("type")
                if let activation = try activation(name, &reader) {
                    try reader.finish()
                    return activation
                }
            }
        }
        throw .invalid(
            pointer, "an activation expected, one of \(names.joined(separator: ", ")), as a name or as an object with its type and parameters")
    }
}
