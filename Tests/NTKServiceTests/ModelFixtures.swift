import Foundation
import HTTPTypes
import TensorFormats

/// Model files and points of the reference networks, and bodies of requests with them.
enum ModelFixtures {
    /// Beside this target: the same files as the networks' own tests have.
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FiniteNetworksTests/Golden")

    static func file(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: folder.appending(path: name))) }

    struct Manifest: Decodable {
        struct Model: Decodable {
            struct File: Decodable {
                struct Kernel: Decodable { var file: String }
                var file: String
                var outputsFloat64OfFile: Double
                var ntkOfFileAgainstTorch: Double?
                var ntk: Kernel?
                var initializersThatCount: [String]
            }
            struct Array: Decodable {
                var file: String
                var onnx: String?
            }
            var inputs: [Array]
            var outputs: Array
            var ntk: Array
            var files: [String: File]
        }
        var models: [String: Model]
    }

    static let manifest: Manifest = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try! decoder.decode(Manifest.self, from: Data(file("manifest.json")))
    }()

    static func array(_ name: String) throws -> NumericArray { try Npy.read(file(name)[...]) }

    /// A body of parts; those without a type are files.
    static func form(_ parts: [(name: String, content: [UInt8])]) -> (fields: HTTPFields, body: [UInt8]) {
        var body: [UInt8] = []
        for (name, content) in parts {
            let type = name == "request" ? "application/json" : "application/octet-stream"
            body += Array("--b0undary\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"f\"\r\nContent-Type: \(type)\r\n\r\n".utf8)
            body += content + Array("\r\n".utf8)
        }
        return ([.contentType: "multipart/form-data; boundary=b0undary"], body + Array("--b0undary--\r\n".utf8))
    }
}

extension ServiceClient {
    /// A request in parts: JSON, and files by name.
    func post(_ path: String, _ json: String, _ files: [(name: String, content: [UInt8])], _ more: HTTPFields = [:]) async throws -> Answer {
        var (fields, body) = ModelFixtures.form([("request", Array(json.utf8))] + files)
        for field in more { fields[field.name] = field.value }
        return try await send(.post, path, fields, body: body)
    }

    func postModel(_ model: [UInt8], name: String? = nil) async throws -> Answer {
        let query = name.map { "?name=\($0)" } ?? ""
        return try await send(.post, "/v1/networks\(query)", [.contentType: "application/onnx"], body: model)
    }
}

extension ServiceClient.Answer {
    var id: String {
        get throws {
            guard case .string(let id)? = try object["id"] else { throw JSONError(.shape, at: "/id", text) }
            return id
        }
    }

    var detail: String {
        get throws {
            guard case .string(let detail)? = try object["detail"] else { throw JSONError(.shape, at: "/detail", text) }
            return detail
        }
    }
}

/// A model file, field by field.
struct ModelWriter {
    /// A run of bytes as a field.
    static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] { varint(number << 3 | 2) + varint(bytes.count) + bytes }
    static func field(_ number: Int, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
    static func field(_ number: Int, _ value: Int) -> [UInt8] { varint(number << 3) + varint(value) }

    private static func varint(_ value: Int) -> [UInt8] {
        var (rest, bytes): (UInt64, [UInt8]) = (UInt64(bitPattern: Int64(value)), [])
        repeat {
            bytes.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    static func node(_ operation: String, _ inputs: [String], _ outputs: [String], _ attributes: [UInt8] = [], name: String = "") -> [UInt8] {
        field(
            1,
            inputs.flatMap { field(1, $0) } + outputs.flatMap { field(2, $0) } + (name.isEmpty ? [] : field(3, name)) + field(4, operation)
                + attributes)
    }

    static func attribute(_ name: String, _ value: Int) -> [UInt8] { field(5, field(1, name) + field(3, value) + field(20, 2)) }
    /// A graph as an attribute.
    static func attribute(_ name: String, graph: [UInt8]) -> [UInt8] { field(5, field(1, name) + field(6, graph) + field(20, 5)) }

    static func floats(_ name: String, _ shape: [Int], _ values: [Float]) -> [UInt8] {
        let raw = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
        return field(5, shape.flatMap { field(1, $0) } + field(2, 1) + field(8, name) + field(9, raw))
    }

    static func integers(_ name: String, _ shape: [Int], _ values: [Int]) -> [UInt8] {
        let raw = values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        return field(5, shape.flatMap { field(1, $0) } + field(2, 7) + field(8, name) + field(9, raw))
    }

    /// An input (11) or output (12); nil is a dynamic axis. Type 1 is float32, 7 int64, 9 bool.
    static func port(_ number: Int, _ name: String, _ shape: [Int?], type: Int = 1) -> [UInt8] {
        let axes = shape.flatMap { extent in field(1, extent.map { field(1, $0) } ?? field(2, "axis")) }
        return field(number, field(1, name) + field(2, field(1, field(1, type) + field(2, axes))))
    }

    static func model(_ graph: [UInt8], opset: Int = 18) -> [UInt8] { field(1, 10) + field(7, graph) + field(8, field(2, opset)) }

    /// y = tanh(x Wᵀ + b) Vᵀ with W [3, 2], V [2, 3], and a second output h.
    static let small = model(
        node("Gemm", ["x", "W", "b"], ["u"], attribute("transB", 1), name: "first") + node("Tanh", ["u"], ["h"])
            + node("Gemm", ["h", "V"], ["y"], attribute("transB", 1), name: "second")
            + floats("W", [3, 2], [1, 0, 0, 1, 1, -1]) + floats("b", [3], [0.5, -0.5, 0]) + floats("V", [2, 3], [1, 2, 3, -1, 0, 1])
            + port(11, "x", [nil, 2]) + port(12, "y", [nil, 2]) + port(12, "h", [nil, 3]))
}
