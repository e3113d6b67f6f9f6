internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// A network as it comes: `{"architecture", "parameters" | "initialization", "data_format", "input_shape"}`. It becomes a checked network
/// when the shape of its points is known.
struct NetworkSource: Sendable {
    enum Parameters: Sendable {
        /// By name.
        case given([String: NumericArray])
        /// To be drawn.
        case seed(UInt64)
    }

    let layer: Layer
    /// The architecture in canonical JSON.
    let architecture: String
    let format: DataFormat
    let parameters: Parameters
    /// Extents of a point, channels last; nil where points tell them.
    let inputShape: [Int]?
    /// Where the network stands in the request, or its id.
    let place: Place

    enum Place: Sendable {
        case pointer(String)
        case stored(pointer: String, id: String)

        /// The pointer to a part of the network; of one that is stored to its id.
        func pointer(to part: String) -> String {
            switch self {
            case .pointer(let pointer): pointer + part
            case .stored(let pointer, _): pointer
            }
        }
    }

    /// The same network, named by its id somewhere in a request.
    func stored(at pointer: String, id: String) -> NetworkSource {
        NetworkSource(
            layer: layer, architecture: architecture, format: format, parameters: parameters, inputShape: inputShape,
            place: .stored(pointer: pointer, id: id))
    }

    private init(layer: Layer, architecture: String, format: DataFormat, parameters: Parameters, inputShape: [Int]?, place: Place) {
        self.layer = layer
        self.architecture = architecture
        self.format = format
        self.parameters = parameters
        self.inputShape = inputShape
        self.place = place
    }

    /// - Parameter arrays: parameters that come apart from the object.
    init(_ value: JSONValue, at pointer: String, arrays: [String: NumericArray]? = nil) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: pointer)
        let tree = try reader.required("architecture", "an architecture")
        (layer, architecture) = try ArchitectureWire.canonical(tree, at: reader.pointer(to: "architecture"), isNetwork: true)
        format = try reader.choice("data_format", default: .channelsLast)
        let given = reader.optional("parameters")
        let initialization = reader.optional("initialization")
        switch (given, initialization, arrays) {
        case (nil, nil, let arrays?): parameters = .given(arrays)
        case (let given?, nil, nil): parameters = .given(try Self.arrays(given, at: reader.pointer(to: "parameters")))
        case (nil, let initialization?, nil):
            var nested = try ObjectReader(initialization, at: reader.pointer(to: "initialization"))
            parameters = .seed(UInt64(try nested.optionalInteger("seed", in: 0...(1 << 53)) ?? 0))
            try nested.finish()
        case (nil, nil, nil):
            throw .invalid(
                reader.pointer(to: "parameters"), "parameters by name, or initialization with a seed that draws them, expected; neither came")
        default: throw .invalid(reader.pointer(to: "initialization"), "parameters or initialization expected; both came")
        }
        if let shape = try reader.optionalIntegers("input_shape", in: 1...(1 << 32)) {
            guard !shape.isEmpty else {
                throw .invalid(reader.pointer(to: "input_shape"), "the extents of a point expected, without the sample axis")
            }
            // Products of extents are taken everywhere: none may overflow.
            var size = 1
            for extent in shape {
                guard extent <= Self.largestPoint / size else {
                    throw .invalid(reader.pointer(to: "input_shape"), "a point of at most 2³² numbers expected")
                }
                size *= extent
            }
            inputShape = format == .channelsFirst ? Array(shape.dropFirst()) + [shape[0]] : shape
        } else {
            inputShape = nil
        }
        place = .pointer(pointer)
        try reader.finish()
    }

    /// Numbers that a point may have.
    private static let largestPoint = 1 << 32

    private static func arrays(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> [String: NumericArray] {
        guard case .object(let object) = value else { throw .invalid(pointer, "an object of arrays by name expected; \(value.kindName) came") }
        var arrays: [String: NumericArray] = [:]
        for (name, value) in object.members {
            let place = "\(pointer)/\(name.jsonPointerToken)"
            let array: NumericArray
            do { array = try value.numericArray(at: place) } catch { throw ProblemDetails(error) }
            guard !array.elements.isEmpty else { throw .invalid(place, "numbers expected; an empty array came") }
            guard !array.hasNulls, array.elements.allSatisfy(\.isFinite) else {
                throw .invalid(place, "finite numbers expected in every place")
            }
            // The dictionary would take two spellings of one accent for the same name.
            guard arrays.updateValue(array, forKey: name) == nil else {
                throw .invalid(place, "one parameter of this name expected; another came whose name is made of other code points and reads the same")
            }
        }
        return arrays
    }

    /// The network on points of a shape, all parameters checked.
    func network(shape: [Int], points field: String) throws(ProblemDetails) -> FiniteNetwork {
        if let inputShape, inputShape != shape {
            throw .invalid(
                "/\(field)",
                "points of shape \(format.ordered(inputShape)) expected, as the network's input_shape says; shape \(format.ordered(shape)) came")
        }
        return try network(shape: shape)
    }

    func network(shape: [Int]) throws(ProblemDetails) -> FiniteNetwork {
        let given: [String: [Int]]? = if case .given(let arrays) = parameters { arrays.mapValues(\.shape) } else { nil }
        func compiled(_ given: [String: [Int]]?) throws(NetworkError) -> FiniteNetwork {
            try FiniteNetwork(layer, inputShape: shape, isChannelsFirst: format == .channelsFirst, given: given, meter: .ofRequest())
        }
        do {
            return try compiled(given)
        } catch {
            var problem = ProblemDetails(error, at: place)
            if case .parameters = error, let given, let names = PrefixedNames(given, compiled) {
                problem.faults = names.faults(at: place)
                if let first = problem.faults.first { problem.detail = "\(first.pointer): \(first.detail)" }
                if problem.faults.count > 1 { problem.detail += " (and \(problem.faults.count - 1) more, see errors)" }
            }
            throw problem
        }
    }

    /// What `values` costs.
    func work(_ network: FiniteNetwork) -> Work { if case .seed = parameters { network.drawWork } else { network.copyWork } }

    /// The values of the parameters of `network`, which was made of this source.
    func values(_ network: FiniteNetwork, on tiles: any TileExecutor) throws -> NetworkParameters {
        switch parameters {
        case .seed(let seed): return try network.drawParameters(seed: seed, on: tiles)
        case .given(let arrays):
            return NetworkParameters(
                values: network.parameters.map { parameter in
                    let elements = arrays[parameter.name]?.elements ?? []
                    return Matrix(rows: 1, columns: elements.count, elements).storage
                })
        }
    }

    /// What the network is, but for its arrays, as canonical JSON.
    var manifest: String {
        var text = "{\"architecture\":\(architecture),\"data_format\":\"\(format.rawValue)\""
        if let inputShape { text += ",\"input_shape\":[\(format.ordered(inputShape).map(String.init).joined(separator: ","))]" }
        if case .seed(let seed) = parameters { text += ",\"initialization\":{\"seed\":\(seed)}" }
        return text + "}"
    }

    /// The parameters that came, by name.
    var tensors: [(name: String, shape: [Int], values: Matrix<Double>)] {
        guard case .given(let arrays) = parameters else { return [] }
        return arrays.sorted { ExactText($0.key) < ExactText($1.key) }.map { name, array in
            (name, array.shape, array.elements.matrix(rows: 1, columns: array.elements.count))
        }
    }

    /// Numbers in all parameters that came.
    var givenCount: Int {
        if case .given(let arrays) = parameters { arrays.values.reduce(0) { $0 + $1.elements.count } } else { 0 }
    }
}
