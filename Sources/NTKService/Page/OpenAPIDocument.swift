internal import CEmbedded
internal import TensorFormats
internal import Yams

/// The description of the interface, as it is written and as JSON.
enum OpenAPIDocument {
    static let yaml: StaticDocument = {
        let text = unsafe UnsafeBufferPointer(start: ntk_openapi_yaml(), count: ntk_openapi_yaml_size)
        return StaticDocument(mediaType: "application/yaml", content: unsafe Array(text))
    }()

    /// Made from the YAML when it is first asked for, so that there is one document to write; nil only if that is no YAML.
    static let json: StaticDocument? = {
        guard let node = try? Yams.compose(yaml: String(decoding: yaml.content, as: UTF8.self), .basic) else { return nil }
        var json = JSONWriter()
        write(node, to: &json)
        return StaticDocument(mediaType: "application/json", content: json.bytes)
    }()

    private static func write(_ node: Node, to json: inout JSONWriter) {
        switch node {
        case .mapping(let mapping):
            json.beginObject()
            for (key, value) in mapping {
                json.key(key.scalar?.string ?? "")
                write(value, to: &json)
            }
            json.endObject()
        case .sequence(let sequence):
            json.beginArray()
            for element in sequence { write(element, to: &json) }
            json.endArray()
        case .scalar(let scalar): write(scalar, to: &json)
        case .alias: json.null()
        }
    }

    /// What stands plainly and is JSON as it stands is that, by YAML 1.2's JSON schema; a number keeps its digits. All else is text.
    private static func write(_ scalar: Node.Scalar, to json: inout JSONWriter) {
        let text = Array(scalar.string.utf8)
        if scalar.style == .plain, let first = text.first, isLiteral(scalar.string, first), (try? JSONValue.parse(text)) != nil {
            json.raw(text)
        } else {
            json.value(scalar.string)
        }
    }

    private static func isLiteral(_ text: String, _ first: UInt8) -> Bool {
        ["true", "false", "null"].contains(text) || first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
}
