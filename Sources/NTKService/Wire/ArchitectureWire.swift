internal import NTK
internal import TensorFormats

/// Reads an architecture: a tree of objects with a `type` each.
enum ArchitectureWire {
    private static let activations = ["relu", "leaky_relu", "ab_relu", "abs", "erf", "sigmoid_like"]
    private static let types = ["serial", "mlp", "dense"] + activations
    /// Hidden layers of an `mlp`, far beyond any use.
    private static let depths = 0...10_000
    private static let widths = 1...(1 << 40)

    static func layer(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> Layer {
        var reader = try ObjectReader(value, at: pointer)
        let type = try reader.required("type", "the name of a layer")
        guard case .string(let name) = type else { throw .invalid(reader.pointer(to: "type"), "the name of a layer expected; \(type.kindName) came") }
        let layer = try layer(name, &reader)
        try reader.finish()
        return layer
    }

    private static func layer(_ name: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        switch name {
        case "serial": return .serial(try layers("layers", &reader))
        case "mlp": return try mlp(&reader)
        case "dense": return .dense(try affine(&reader))
        case "relu": return .relu
        case "leaky_relu": return .abRelu(a: try reader.number("alpha", default: 0.01), b: 1)
        case "ab_relu": return .abRelu(a: try requiredNumber("a", &reader), b: try requiredNumber("b", &reader))
        case "abs": return .abRelu(a: -1, b: 1)
        case "erf":
            return .erf(
                a: try reader.number("a", default: 1), b: try reader.number("b", default: 1), c: try reader.number("c", default: 0))
        case "sigmoid_like": return .erf(a: 0.5, b: 1 / 2.4020563531719796, c: 0.5)
        default:
            throw .invalid(
                reader.pointer(to: "type"), "one of \(types.joined(separator: ", ")) expected; \"\(name.prefix(40))\" came")
        }
    }

    private static func layers(_ field: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> [Layer] {
        let value = try reader.required(field, "a list of layers")
        let pointer = reader.pointer(to: field)
        guard case .array(let values) = value else { throw .invalid(pointer, "a list of one or more layers expected") }
        var layers: [Layer] = []
        for (index, value) in values.enumerated() { layers.append(try layer(value, at: "\(pointer)/\(index)")) }
        return layers
    }

    private static func requiredNumber(_ field: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Double {
        guard let number = try reader.optionalNumber(field) else {
            throw .invalid(reader.pointer(to: field), "a number expected; the field is missing")
        }
        return number
    }

    /// `depth` hidden layers and a dense readout, all with the same settings but for `last_w_std`.
    private static func mlp(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        guard let depth = try reader.optionalInteger("depth", in: depths) else {
            throw .invalid(reader.pointer(to: "depth"), "the number of hidden layers expected; the field is missing")
        }
        let activation = try activation(reader.optional("activation"), at: reader.pointer(to: "activation"))
        let hidden = try affine(&reader)
        var readout = hidden
        readout.weightStd = try reader.number("last_w_std", default: hidden.weightStd)
        return .mlp(depth: depth, activation: activation, hidden: hidden, readout: readout)
    }

    /// A name, or an object where the activation has parameters; relu if there is none.
    private static func activation(_ value: JSONValue?, at pointer: String) throws(ProblemDetails) -> Layer {
        let layer: JSONValue
        switch value {
        case nil: return .relu
        case .string(let name): layer = .object(JSONObject(members: [("type", .string(name))]))
        case .some(let object): layer = object
        }
        guard case .object(let object) = layer, case .string(let name) = object["type"], activations.contains(name) else {
            throw .invalid(
                pointer,
                "an activation expected, one of \(activations.joined(separator: ", ")), as a name or as an object with its type and parameters")
        }
        return try self.layer(layer, at: pointer)
    }

    private static func affine(_ reader: inout ObjectReader) throws(ProblemDetails) -> Affine {
        Affine(
            width: try reader.optionalInteger("width", in: widths),
            weightStd: try reader.number("w_std", default: 1), biasStd: try reader.optionalNumber("b_std"),
            parameterization: try reader.choice("parameterization", default: .ntk))
    }
}

extension Layer {
    /// The kernel of this architecture on points of `features` numbers; `pointer` is where the architecture stands in the request.
    func analyticKernel(features: Int, at pointer: String) throws(ProblemDetails) -> AnalyticKernel {
        do {
            return try AnalyticKernel(self, features: features)
        } catch {
            throw .invalid(pointer + error.path, error.detail)
        }
    }
}
