internal import CEmbedded
internal import CYAML
internal import TensorFormats

/// The description of the interface, as it is written and as JSON.
enum OpenAPIDocument {
    static let yaml: StaticDocument = {
        let text = unsafe UnsafeBufferPointer(start: ntk_openapi_yaml(), count: ntk_openapi_yaml_size)
        return StaticDocument(mediaType: "application/yaml", content: unsafe Array(text))
    }()

    /// Made from the YAML when it is first asked for, so that there is one document to write; nil only if that is no YAML.
    static let json: StaticDocument? = json(of: yaml.content).map { StaticDocument(mediaType: "application/json", content: $0) }

    /// The first document of a YAML text; an alias is written as what it stands for.
    static func json(of yaml: [UInt8]) -> [UInt8]? {
        var parser = unsafe yaml_parser_t()
        guard unsafe yaml_parser_initialize(&parser) == 1 else { return nil }
        defer { unsafe yaml_parser_delete(&parser) }
        return unsafe yaml.withUnsafeBufferPointer { text in
            unsafe yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
            var document = unsafe yaml_document_t()
            guard unsafe yaml_parser_load(&parser, &document) == 1 else { return nil }
            defer { unsafe yaml_document_delete(&document) }
            guard let root = unsafe yaml_document_get_root_node(&document) else { return nil }
            var json = JSONWriter()
            unsafe write(root, of: &document, to: &json)
            return json.bytes
        }
    }

    private static func write(_ node: UnsafeMutablePointer<yaml_node_t>, of document: inout yaml_document_t, to json: inout JSONWriter) {
        switch unsafe node.pointee.type {
        case YAML_MAPPING_NODE:
            json.beginObject()
            let pairs = unsafe node.pointee.data.mapping.pairs
            for pair in unsafe Array(UnsafeBufferPointer(start: pairs.start, count: pairs.top - pairs.start)) {
                guard let key = unsafe yaml_document_get_node(&document, pair.key), let value = unsafe yaml_document_get_node(&document, pair.value)
                else { continue }
                json.key(unsafe text(key))
                unsafe write(value, of: &document, to: &json)
            }
            json.endObject()
        case YAML_SEQUENCE_NODE:
            json.beginArray()
            let items = unsafe node.pointee.data.sequence.items
            for item in unsafe Array(UnsafeBufferPointer(start: items.start, count: items.top - items.start)) {
                guard let element = unsafe yaml_document_get_node(&document, item) else { continue }
                unsafe write(element, of: &document, to: &json)
            }
            json.endArray()
        case YAML_SCALAR_NODE:
            unsafe write(text(node), isPlain: node.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE, to: &json)
        default: json.null()
        }
    }

    private static func text(_ node: UnsafeMutablePointer<yaml_node_t>) -> String {
        guard unsafe node.pointee.type == YAML_SCALAR_NODE else { return "" }
        let scalar = unsafe node.pointee.data.scalar
        return unsafe String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
    }

    /// What stands plainly and is JSON as it stands is that, by YAML 1.2's JSON schema; a number keeps its digits. All else is text.
    private static func write(_ text: String, isPlain: Bool, to json: inout JSONWriter) {
        let bytes = Array(text.utf8)
        if isPlain, let first = bytes.first, isLiteral(text, first), (try? JSONValue.parse(bytes)) != nil {
            json.raw(bytes)
        } else {
            json.value(text)
        }
    }

    private static func isLiteral(_ text: String, _ first: UInt8) -> Bool {
        ["true", "false", "null"].contains(text) || first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
}
