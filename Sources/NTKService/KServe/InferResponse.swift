internal import HTTP1
internal import HTTPTypes
internal import TensorFormats

/// A tensor of an answer.
struct InferTensor: Sendable {
    enum Content: Sendable {
        case float64([Double])
        case int64([Int])
        case bytes([String])
    }

    var name: String
    var shape: [Int]
    var content: Content

    var datatype: String {
        switch content {
        case .float64: "FP64"
        case .int64: "INT64"
        case .bytes: "BYTES"
        }
    }

    /// Little-endian; a text with its length in 4 bytes before it.
    var binary: [UInt8] {
        var bytes: [UInt8] = []
        switch content {
        case .float64(let numbers):
            bytes.reserveCapacity(8 * numbers.count)
            for number in numbers { Self.append(number.bitPattern, to: &bytes) }
        case .int64(let numbers):
            for number in numbers { Self.append(UInt64(bitPattern: Int64(number)), to: &bytes) }
        case .bytes(let texts):
            for text in texts {
                let octets = Array(text.utf8)
                for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: octets.count >> (8 * shift))) }
                bytes += octets
            }
        }
        return bytes
    }

    private static func append(_ bits: UInt64, to bytes: inout [UInt8]) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * shift))) }
    }

    fileprivate func write(to json: inout JSONWriter) throws {
        json.beginArray()
        switch content {
        case .float64(let numbers): try json.values(numbers.span)
        case .int64(let numbers): for number in numbers { json.value(number) }
        case .bytes(let texts): for text in texts { json.value(text) }
        }
        json.endArray()
    }
}

/// The answer to an inference.
struct InferResponse: Sendable {
    static let octets = "application/octet-stream"

    var model: String
    var id: String?
    /// In the order in which they were asked for.
    var outputs: [(tensor: InferTensor, isBinary: Bool)]

    func response() throws -> ServerResponse {
        var json = JSONWriter()
        var binary: [UInt8] = []
        json.beginObject()
        json.member("model_name", model)
        json.member("model_version", KServe.version)
        if let id { json.member("id", id) }
        json.key("outputs")
        json.beginArray()
        for (tensor, isBinary) in outputs {
            json.beginObject()
            json.member("name", tensor.name)
            json.member("datatype", tensor.datatype)
            json.key("shape")
            json.beginArray()
            for extent in tensor.shape { json.value(extent) }
            json.endArray()
            if isBinary {
                let bytes = tensor.binary
                json.key("parameters")
                json.beginObject()
                json.member("binary_data_size", bytes.count)
                json.endObject()
                binary += bytes
            } else {
                json.key("data")
                try tensor.write(to: &json)
            }
            json.endObject()
        }
        json.endArray()
        json.endObject()
        guard outputs.contains(where: \.isBinary) else {
            return ServerResponse(headerFields: [.contentType: "application/json"], body: .bytes(json.bytes))
        }
        return ServerResponse(
            headerFields: [.contentType: Self.octets, InferRequest.headerLength: String(json.bytes.count)], body: .bytes(json.bytes + binary))
    }
}
