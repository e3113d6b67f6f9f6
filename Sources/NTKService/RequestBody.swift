internal import LinearAlgebra
internal import TensorFormats

/// The body of a request as one JSON value, in whichever form it comes: JSON; multipart/form-data with a part `request` and one part an
/// array (.npy) or an object of arrays (.npz, .safetensors), each named by its field; one .npz of arrays named by their fields whose
/// `meta.json` is the rest of the request; one .npy that is the only field; one .safetensors whose metadata is the request; or a model file.
enum RequestBody {
    static let json = "application/json"
    static let multipart = "multipart/form-data"
    /// A file alone.
    static let files = ["application/octet-stream", "application/x-safetensors", npz]
    static let npz = "application/x-npz"
    static let npy = "application/x-npy"
    /// A model file alone.
    static let onnx = "application/onnx"
    static var mediaTypes: [String] { [json, multipart] + files }
    /// Of requests with arrays in them.
    static var arrayTypes: [String] { [json, multipart, npz] }

    /// - Parameters:
    ///   - limit: bytes that the members of an .npz may take.
    ///   - guess: how much of a JSON text is no array of numbers. More is an error of kind `size`.
    ///   - field: the place of the arrays of a file alone: of those of an .npz or .safetensors, nil for the top; of an .npy `x`.
    ///   - tiles: of the worker that reads a large body; nil on the event loop.
    static func value(
        _ content: RequestContent, limit: Int, _ guess: JSONDemand.Guess, field: String? = nil, on tiles: (any TileExecutor)? = nil
    ) throws -> JSONValue {
        switch MediaRange.type(content.type) {
        case multipart: return try parts(content.bytes, content.type, limit: limit, guess)
        case json: return try JSONValue.parse(content.bytes, limits: JSONDemand.limits(content.bytes[...], guess), on: tiles)
        case onnx:
            let network = JSONObject(members: [("onnx", model(content.bytes, 0..<content.bytes.count))])
            return .object(JSONObject(members: [("network", .object(network))]))
        case npy: return .object(JSONObject(members: [("x", .tensor(try Npy.read(content.bytes[...])))]))
        default: return try file(content.bytes, limit: limit, guess, field: field)
        }
    }

    private static func parts(_ body: [UInt8], _ contentType: String, limit: Int, _ guess: JSONDemand.Guess) throws -> JSONValue {
        let parts = try Multipart.read(body, contentType: contentType)
        var names: Set<ExactText> = []
        for part in parts where !names.insert(ExactText(part.name)).inserted {
            throw ProblemDetails.repeated("the part \(part.name.prefix(80))")
        }
        var whole = RequestParts()
        if let request = parts.first(where: { $0.name == "request" }) {
            // What is no JSON at all is named as what it is; a fault within JSON has its place.
            if let kind = FileKind.name(request.content), !["JSON text", "text", "CSV text"].contains(kind) {
                throw FormatError(described(request), "a JSON text expected; \(kind) came")
            }
            whole = try RequestParts(text(request.content, guess))
        }
        for part in parts where part.name != "request" {
            let value = isModelFile(part) ? model(body, part.content.startIndex..<part.content.endIndex) : try content(part, limit: limit, guess)
            try whole.insert(value, at: part.name)
        }
        return whole.value
    }

    /// Whether a part is a network's model file, by its name: `network.onnx`, `kernel.network.onnx`.
    static func isModelFile(_ part: Multipart.Part) -> Bool { part.name.utf8.reversed().starts(with: ".onnx".utf8.reversed()) }

    /// A file that is read where it stands.
    private static func model(_ body: [UInt8], _ range: Range<Int>) -> JSONValue { .file(FileContent(bytes: body, range: range)) }

    /// A part by its name and its type, for messages.
    private static func described(_ part: Multipart.Part) -> String {
        "the part \(part.name.prefix(80))" + (part.mediaType.map { " (\($0.prefix(80)))" } ?? "")
    }

    private static func text(_ text: ArraySlice<UInt8>, _ guess: JSONDemand.Guess) throws(JSONError) -> JSONValue {
        try JSONValue.parse(copying: text, limits: JSONDemand.limits(text, guess))
    }

    private static func content(_ part: Multipart.Part, limit: Int, _ guess: JSONDemand.Guess) throws -> JSONValue {
        if part.mediaType == json { return try text(part.content, guess) }
        do throws(FormatError) {
            if let value = try arrays(part.content, limit: limit) { return value }
        } catch {
            throw FormatError(described(part), "\(error.format): \(error.detail)")
        }
        let came = FileKind.name(part.content) ?? "\(part.content.count) bytes that begin like none of these"
        throw FormatError(
            described(part), "an array as a .npy file, arrays as a .npz or .safetensors file, or JSON as application/json, expected; \(came) came")
    }

    /// What an array file holds; nil for what is none.
    private static func arrays(_ file: ArraySlice<UInt8>, limit: Int) throws(FormatError) -> JSONValue? {
        if Npy.isNpy(file) { return .tensor(try Npy.read(file)) }
        if Npz.isZip(file) { return object(try Npz.read(file, limit: limit).arrays) }
        return FileKind.isSafetensors(file) ? object(try Safetensors.read(file).arrays) : nil
    }

    /// A file of parameters: what else the request says stands in `meta.json` of an .npz, or, each member as JSON, in the metadata of a
    /// .safetensors.
    private static func file(_ body: [UInt8], limit: Int, _ guess: JSONDemand.Guess, field: String?) throws -> JSONValue {
        if Npz.isZip(body[...]) {
            let (arrays, meta) = try Npz.read(body[...], limit: limit)
            let request = try meta.map { try JSONValue.parse($0, limits: JSONDemand(size: $0.count, guess).limits) }
            let whole = try request.map { try RequestParts($0) } ?? RequestParts()
            if let field {
                try whole.insert(object(arrays), at: field)
            } else {
                for (name, array) in arrays { try whole.insert(.tensor(array), at: name) }
            }
            return whole.value
        }
        // The network's parameters are the only ones that come so; elsewhere an archive is what is expected.
        guard field != nil, FileKind.isSafetensors(body[...]) else {
            let came = FileKind.name(body[...]) ?? "\(body.count) bytes that begin like none"
            throw FormatError("the body", "a .npz file\(field == nil ? "" : " or a .safetensors file") expected; \(came) came")
        }
        let file = try Safetensors.read(body[...])
        let whole = RequestParts()
        for (name, text) in file.metadata where ["architecture", "data_format", "input_shape"].contains(name) {
            // A plain word stands for itself.
            let member = try member(Array(text.utf8), guess) ?? .string(text)
            try whole.insert(member, at: name)
        }
        try whole.insert(object(file.arrays), at: "parameters")
        return whole.value
    }

    /// Nil for what is no JSON.
    private static func member(_ text: [UInt8], _ guess: JSONDemand.Guess) throws -> JSONValue? {
        do { return try JSONValue.parse(text, limits: JSONDemand.limits(text[...], guess.forElsewhere)) } catch  where error.kind != .size {
            return nil
        }
    }

    private static func object(_ arrays: [(name: String, array: NumericArray)]) -> JSONValue {
        .object(JSONObject(members: arrays.map { ($0.name, .tensor($0.array)) }))
    }
}
