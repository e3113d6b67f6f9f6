internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import TensorFormats

/// `POST /v2/models/{id}/infer` of the Open Inference Protocol v2, JSON or with tensors in binary behind it.
struct InferRequest: Sendable {
    struct Output: Sendable {
        var name: String
        var isBinary: Bool
    }

    var id: String?
    /// The inputs by name, as a prediction of `/v1` has them.
    var arrays: [(name: String, array: NumericArray)]
    /// nil: all that are there without asking.
    var outputs: [Output]?
    /// Of outputs that do not say it themselves.
    var isBinary: Bool
    /// From `timeout`, which is in microseconds.
    var seconds: Double?

    static let headerLength = HTTPField.Name("Inference-Header-Content-Length") ?? .via

    /// A day; more is as good as none.
    private static let longestTimeout = 86_400e6

    /// - Throws: `JSONError` of kind `size` when there is more in the text than was guessed.
    init(_ request: ServerRequest, _ guess: JSONDemand.Guess) throws {
        let body = request.body
        let head = body[..<(try Self.headCount(request))]
        let limits = JSONDemand.limits(head, guess)
        let value = try head.count == body.count ? JSONValue.parse(body, limits: limits) : JSONValue.parse(copying: head, limits: limits)
        try self.init(value, binary: body[head.endIndex...])
    }

    /// Bytes of JSON, before tensors in binary.
    static func headCount(_ request: ServerRequest) throws(ProblemDetails) -> Int {
        let most = request.body.count
        guard let text = request.head.headerFields[headerLength] else { return most }
        guard text.utf8.count <= 15, !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(text), count <= most else {
            throw .badInference("Inference-Header-Content-Length: a number of bytes up to the body's \(most) expected; \(text.prefix(40)) came")
        }
        return count
    }

    private init(_ value: JSONValue, binary: ArraySlice<UInt8>) throws {
        var reader = try ObjectReader(value, at: "")
        switch reader.optional("id") {
        case nil, .null: id = nil
        case .string(let text): id = text
        default: throw ProblemDetails.badInference("/id: a string expected")
        }
        var parameters = try ObjectReader(reader.optional("parameters") ?? .object(JSONObject(members: [])), at: "/parameters")
        isBinary = try parameters.bool("binary_data_output", default: false)
        // Others, such as priority, are hints or of other servers.
        if let microseconds = try parameters.optionalNumber("timeout"), microseconds > 0, microseconds <= Self.longestTimeout {
            seconds = microseconds * 1e-6
        }
        guard let inputs = try reader.required("inputs", "an array of tensors").listElements else {
            throw ProblemDetails.badInference("/inputs: an array of tensors expected")
        }
        var rest = binary
        arrays = []
        for (index, input) in inputs.enumerated() {
            let (name, array) = try Self.input(input, at: "/inputs/\(index)", &rest)
            guard !arrays.contains(where: { $0.name.isSame(as: name) }) else {
                throw ProblemDetails.badInference("/inputs/\(index)/name: another name expected")
            }
            arrays.append((name, array))
        }
        guard rest.isEmpty else {
            throw ProblemDetails.badInference(
                "binary_data_size of all inputs expected to be the bytes behind the JSON, \(binary.count); \(binary.count - rest.count) are named")
        }
        if let wanted = reader.optional("outputs") {
            guard let wanted = wanted.listElements else { throw ProblemDetails.badInference("/outputs: an array expected") }
            var outputs: [Output] = []
            for (index, output) in wanted.enumerated() { outputs.append(try Self.output(output, at: "/outputs/\(index)", isBinary)) }
            self.outputs = outputs.isEmpty ? nil : outputs
        }
        try reader.finish()
    }

    private static func input(
        _ value: JSONValue, at pointer: String, _ rest: inout ArraySlice<UInt8>
    ) throws -> (name: String, array: NumericArray) {
        var reader = try ObjectReader(value, at: pointer)
        guard case .string(let name) = try reader.required("name", "a string") else {
            throw ProblemDetails.badInference("\(pointer)/name: a string expected")
        }
        let datatype: InferDatatype = try reader.requiredChoice("datatype")
        let shape = try reader.requiredIntegers("shape", in: 0...Int(Int32.max))
        let count = shape.reduce(1) { $0.multipliedClamped(by: $1) }
        var parameters = try ObjectReader(reader.optional("parameters") ?? .object(JSONObject(members: [])), at: "\(pointer)/parameters")
        let size = try parameters.optionalInteger("binary_data_size", in: 0...Int.max)
        try Self.checkSharedMemory(&parameters)
        // Others are hints of clients to their own servers, such as MLServer's content_type.
        let data = reader.optional("data")
        try reader.finish()
        switch (size, data) {
        case (let size?, nil):
            guard size == count.multipliedClamped(by: datatype.size), size <= rest.count else {
                throw ProblemDetails.badInference(
                    "\(pointer): \(count) elements of \(datatype.rawValue) expected as shape says, in at most the \(rest.count) bytes that are left; "
                        + "binary_data_size \(size) came")
            }
            let numbers = datatype.decode(rest.prefix(size))
            rest = rest.dropFirst(size)
            guard numbers.allSatisfy(\.isFinite) else { throw ProblemDetails.badInference("\(pointer): finite numbers expected") }
            return (name, NumericArray(shape: shape, elements: NumericElements(numbers)))
        case (nil, .tensor(let array)?):
            // Nested, or flat in row-major order.
            guard array.shape == shape || (array.shape.count == 1 && array.elements.count == count) else {
                throw ProblemDetails.badInference("\(pointer)/data: \(count) numbers of shape \(shape) expected; shape \(array.shape) came")
            }
            guard !array.hasNulls else { throw ProblemDetails.badInference("\(pointer)/data: numbers expected in every place; null came") }
            return (name, NumericArray(shape: shape, elements: array.elements))
        case (nil, let data?) where data.listElements?.isEmpty == true && count == 0:
            return (name, NumericArray(shape: shape, elements: NumericElements([])))
        default:
            throw ProblemDetails.badInference("\(pointer): data, an array of numbers, or the parameter binary_data_size expected")
        }
    }

    private static func output(_ value: JSONValue, at pointer: String, _ standard: Bool) throws -> Output {
        var reader = try ObjectReader(value, at: pointer)
        guard case .string(let name) = try reader.required("name", "a string") else {
            throw ProblemDetails.badInference("\(pointer)/name: a string expected")
        }
        var parameters = try ObjectReader(reader.optional("parameters") ?? .object(JSONObject(members: [])), at: "\(pointer)/parameters")
        let isBinary = try parameters.bool("binary_data", default: standard)
        try checkSharedMemory(&parameters)
        try reader.finish()
        return Output(name: name, isBinary: isBinary)
    }

    /// Memory that client and server share is no hint: without it the tensor is not where the client says.
    private static func checkSharedMemory(_ parameters: inout ObjectReader) throws(ProblemDetails) {
        for name in ["shared_memory_region", "shared_memory_offset", "shared_memory_byte_size"] where parameters.optional(name) != nil {
            throw .invalid(parameters.pointer(to: name), "a tensor in the request or its answer expected: this server shares no memory with clients")
        }
    }

    /// The request as the body of a prediction of `/v1`.
    func prediction(needsVariance: Bool) -> JSONValue {
        var members = arrays.map { (key: $0.name, value: JSONValue.tensor($0.array)) }
        if needsVariance { members.append(("covariance", .string("diagonal"))) }
        return .object(JSONObject(members: members))
    }
}
