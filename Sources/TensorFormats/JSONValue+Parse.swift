internal import CSimdJSON

/// Limits of a JSON text.
package struct JSONLimits: Sendable {
    /// Levels of nesting, counting the innermost scalar. 64 is far beyond any request and far below what recursion can stand.
    package var depth: Int
    /// Values and keys, an array of numbers counting once. They take some 200 bytes each, so a million is what a large body may cost.
    package var values: Int

    package init(depth: Int = 64, values: Int = 1 << 20) {
        self.depth = depth
        self.values = values
    }
}

extension JSONValue {
    /// Parses one JSON text (RFC 8259, strict) with libsimdjson; the numbers of all arrays go into one buffer.
    ///
    /// Linear in the text. A text whose array has `JSONValue.padding` bytes of capacity to spare is not copied.
    /// - Throws: `JSONError` with the first fault and its place.
    package static func parse(_ text: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        let padded = text.capacity >= text.count + padding ? text : text + [UInt8](repeating: 0, count: padding)
        let (document, numbers) = unsafe padded.withUnsafeBufferPointer { buffer in
            guard let document = unsafe ntk_json_index(buffer.baseAddress, text.count) else {
                return unsafe (UnsafeMutablePointer<ntk_json_document>?.none, [Double]())
            }
            let numbers = unsafe [Double](unsafeUninitializedCapacity: document.pointee.number_capacity) { numbers, count in
                unsafe ntk_json_read(document, ntk_json_limits(depth: limits.depth, nodes: limits.values), numbers.baseAddress)
                count = unsafe document.pointee.number_count
            }
            return unsafe (document, numbers)
        }
        guard let document = unsafe document else { throw .noMemory }
        defer { unsafe ntk_json_free(document) }
        if let error = unsafe JSONError(document.pointee) { throw error }
        var nodes = unsafe NodeReader(document.pointee, numbers)
        return nodes.next()
    }

    /// Bytes of capacity beyond the text that save a copy.
    package static var padding: Int { ntk_json_padding() }
}

extension JSONError {
    fileprivate static let noMemory = JSONError(.memory, at: "", "there is no memory to parse a body of this size")

    fileprivate init?(_ document: ntk_json_document) {
        let kind: Kind
        switch unsafe document.error {
        case NTK_JSON_OK: return nil
        case NTK_JSON_BAD_NUMBER: kind = .number
        case NTK_JSON_BAD_ENCODING: kind = .encoding
        case NTK_JSON_TOO_DEEP: kind = .depth
        case NTK_JSON_DUPLICATE_KEY: kind = .duplicateKey
        case NTK_JSON_TOO_MANY: kind = .size
        case NTK_JSON_NO_MEMORY:
            self = .noMemory
            return
        default: kind = .syntax
        }
        self.init(
            kind, at: unsafe String(text: document.pointer, document.pointer_length),
            unsafe String(text: document.detail, document.detail_length))
    }
}

/// Reads values from the flat list of nodes. Recursion is as deep as the text, which is within the limit.
@safe
private struct NodeReader {
    private let document: ntk_json_document
    private let numbers: [Double]
    private var index = 0

    init(_ document: ntk_json_document, _ numbers: [Double]) {
        unsafe self.document = unsafe document
        self.numbers = numbers
    }

    mutating func next() -> JSONValue {
        let node = unsafe document.nodes[index]
        index += 1
        switch ntk_json_kind(UInt32(node.kind)) {
        case NTK_JSON_FALSE: return .bool(false)
        case NTK_JSON_TRUE: return .bool(true)
        case NTK_JSON_DOUBLE: return .number(.double(node.number))
        case NTK_JSON_INT64: return .number(.signed(node.integer))
        case NTK_JSON_UINT64: return .number(.unsigned(UInt64(bitPattern: node.integer)))
        case NTK_JSON_STRING: return .string(text(node.start, node.count))
        case NTK_JSON_ARRAY: return .array((0..<node.count).map { _ in next() })
        case NTK_JSON_OBJECT:
            return .object(
                JSONObject(
                    members: (0..<node.count).map { _ in
                        guard case .string(let key) = next() else { preconditionFailure("a key is a string") }
                        return (key, next())
                    }))
        case NTK_JSON_TENSOR:
            let shape = (0..<Int(node.rank)).map { unsafe document.extents[node.extents + $0] }
            return .tensor(NumericArray(shape: shape, elements: numbers[node.start..<node.start + node.count], hasNulls: node.has_nulls))
        case NTK_JSON_RAGGED:
            return .ragged(JSONError(.shape, at: text(node.start, node.count), text(node.start + node.count, Int(node.rank))))
        default: return .null
        }
    }

    private func text(_ start: Int, _ count: Int) -> String {
        unsafe String(text: document.text + start, count)
    }
}

extension String {
    fileprivate init(text: UnsafePointer<CChar>?, _ count: Int) {
        self = unsafe String(decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self)
    }
}
