internal import NTK
internal import TensorFormats

/// Reads an activation: its name, and its parameters where it has some.
enum ActivationWire {
    static let names = [
        "relu", "leaky_relu", "ab_relu", "abs", "sign", "erf", "sigmoid_like", "gelu", "sin", "cos", "rbf", "exp", "exp_normalized", "gaussian",
        "gabor", "hermite", "monomial", "rectified_monomial", "polynomial", "tanh", "sigmoid", "softplus", "swish", "elu", "selu", "mish",
        "elementwise",
    ]
    private static let degrees = 0...30

    /// nil if there is no activation of this name.
    static func activation(_ name: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Activation? {
        switch name {
        case "relu": .relu
        case "leaky_relu": .abRelu(a: try reader.number("alpha", default: 0.01), b: 1)
        case "ab_relu": .abRelu(a: try reader.requiredNumber("a"), b: try reader.requiredNumber("b"))
        case "abs": .abRelu(a: -1, b: 1)
        case "sign": .sign
        case "erf": .erf(a: try reader.number("a", default: 1), b: try reader.number("b", default: 1), c: try reader.number("c", default: 0))
        case "sigmoid_like": .erf(a: 0.5, b: 1 / 2.4020563531719796, c: 0.5)
        case "gelu": .gelu(approximate: try reader.bool("approximate", default: false))
        case "sin": .sin(a: try reader.number("a", default: 1), b: try reader.number("b", default: 1), c: try reader.number("c", default: 0))
        case "cos": .cos(a: try reader.number("a", default: 1), b: try reader.number("b", default: 1), c: try reader.number("c", default: 0))
        case "rbf": try rbf(&reader)
        case "exp": .exp(a: try reader.number("a", default: 1), b: try reader.number("b", default: 1))
        case "exp_normalized":
            .expNormalized(gamma: try reader.number("gamma", default: 1), shift: try reader.number("shift", default: -1))
        case "gaussian": .gaussian(a: try reader.number("a", default: 1), b: try reader.number("b", default: -1))
        case "gabor": .gabor
        case "hermite": .hermite(degree: try reader.requiredInteger("degree", in: degrees))
        case "monomial": .monomial(degree: try reader.requiredInteger("degree", in: degrees))
        case "rectified_monomial": .rectifiedMonomial(degree: try reader.requiredInteger("degree", in: degrees))
        case "polynomial": try polynomial(&reader)
        case "tanh": .tanh
        case "sigmoid": .sigmoid
        case "softplus": .softplus
        case "swish": .swish
        case "elu": .elu(alpha: try reader.number("alpha", default: 1), scale: 1)
        case "selu": .selu
        case "mish": .mish
        case "elementwise": try elementwise(&reader)
        default: nil
        }
    }

    private static func rbf(_ reader: inout ObjectReader) throws(ProblemDetails) -> Activation {
        let gamma = try reader.number("gamma", default: 1)
        guard gamma >= 0 else { throw .invalid(reader.pointer(to: "gamma"), "a number that is not negative expected; \(gamma) came") }
        return .rbf(gamma: gamma)
    }

    private static func polynomial(_ reader: inout ObjectReader) throws(ProblemDetails) -> Activation {
        let coefficients = try reader.array("coefficients", "a list of coefficients, the constant first,")
        guard coefficients.shape.count == 1, degrees.contains(coefficients.shape[0] - 1), !coefficients.hasNulls else {
            throw .invalid(
                reader.pointer(to: "coefficients"), "a list of 1 to \(degrees.upperBound + 1) numbers expected, the constant first")
        }
        return .polynomial(Array(coefficients.elements))
    }

    private static func elementwise(_ reader: inout ObjectReader) throws(ProblemDetails) -> Activation {
        let value = try reader.required("expression", "a function of x such as \"x*tanh(x)\"")
        let pointer = reader.pointer(to: "expression")
        guard case .string(let text) = value else { throw .invalid(pointer, "a text expected; \(value.kindName) came") }
        do {
            return .elementwise(try Expression(text))
        } catch {
            throw .invalid(pointer, "column \(error.column): \(error.detail)")
        }
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
            pointer, "an activation expected, one of \(names.joined(separator: ", ")), as a name or as an object with its type and parameters")
    }
}
