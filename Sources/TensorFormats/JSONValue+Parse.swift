internal import CSimdJSON
package import LinearAlgebra

/// Limits of a JSON text.
package struct JSONLimits: Sendable {
    /// Levels of nesting, counting the innermost scalar. 64 is far beyond any request and far below what recursion can stand.
    package var depth: Int
    /// Values and keys, an array of numbers counting once. They take some 200 bytes each, so a million is what a large body may cost.
    package var values: Int
    /// Bytes of all strings and keys together. They are copied twice.
    package var text: Int

    package init(depth: Int = 64, values: Int = 1 << 20, text: Int = .max) {
        self.depth = depth
        self.values = values
        self.text = text
    }
}

extension JSONValue {
    /// Parses one JSON text (RFC 8259, strict) with libsimdjson; the numbers of all arrays go into one buffer.
    ///
    /// A byte order mark before the text is skipped, as RFC 8259 §8.1 allows. Linear in the text. A text whose array has `JSONValue.padding`
    /// bytes of capacity to spare is not copied.
    /// - Parameters:
    ///   - tiles: reads the rows of large arrays beside each other; nil for the calling thread alone.
    ///   - leastTokens: brackets, commas and numbers of an array that is worth dividing.
    /// - Throws: `JSONError` with the first fault and its place.
    package static func parse(
        _ text: [UInt8], limits: JSONLimits = JSONLimits(), on tiles: (any TileExecutor)? = nil, leastTokens: Int = 1 << 16
    ) throws(JSONError) -> JSONValue {
        let padded = text.capacity >= text.count + padding ? text : text + [UInt8](repeating: 0, count: padding)
        let mark = text.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        let read = unsafe padded.withUnsafeBufferPointer { buffer in
            unsafe ntk_json_index(buffer.baseAddress.map { unsafe $0 + mark }, text.count - mark).map { document in
                let numbers = unsafe Storage<Double>(count: document.pointee.number_capacity)
                let limits = ntk_json_limits(depth: limits.depth, nodes: limits.values, text: limits.text)
                if let tiles {
                    unsafe withThreads(tiles, leastTokens) { unsafe ntk_json_read(document, limits, $0, numbers.base) }
                } else {
                    unsafe ntk_json_read(document, limits, nil, numbers.base)
                }
                return unsafe (document, numbers)
            }
        }
        guard let (document, numbers) = unsafe read else { throw .noMemory }
        defer { unsafe ntk_json_free(document) }
        if let error = unsafe JSONError(document.pointee) { throw error }
        var nodes = unsafe NodeReader(document.pointee, numbers)
        return nodes.next()
    }

    /// Parses a text that stands within something else, and is copied once.
    package static func parse(
        copying text: ArraySlice<UInt8>, limits: JSONLimits = JSONLimits(), on tiles: (any TileExecutor)? = nil
    ) throws(JSONError) -> JSONValue {
        var copy: [UInt8] = []
        copy.reserveCapacity(text.count + padding)
        copy += text
        return try parse(copy, limits: limits, on: tiles)
    }

    /// The tiles as the C side calls them. Where they are cancelled, some calls are left out, which it allows.
    private static func withThreads(
        _ tiles: any TileExecutor, _ leastTokens: Int, _ body: (UnsafePointer<ntk_json_threads>) -> Void
    ) {
        unsafe withUnsafePointer(to: tiles) { context in
            var threads = unsafe ntk_json_threads(
                for_each: { context, count, body, work in
                    guard let body = unsafe body, let tiles = unsafe context?.assumingMemoryBound(to: (any TileExecutor).self).pointee else { return }
                    // An address, which all threads may share; `forEach` returns before it ends.
                    let address = UInt(bitPattern: work)
                    try? tiles.forEach(count) { index in unsafe body(UnsafeMutableRawPointer(bitPattern: address), index) }
                }, context: context, least_tokens: leastTokens)
            unsafe body(&threads)
        }
    }

    /// How often characters stand in a text that tell how much is in it: commas, which are one less than its numbers at the least, the brackets
    /// and braces that open, and quotes.
    package static func counts(_ text: ArraySlice<UInt8>) -> (commas: Int, brackets: Int, quotes: Int) {
        let counts = unsafe text.withUnsafeBufferPointer { unsafe ntk_json_count($0.baseAddress, $0.count) }
        return (counts.commas, counts.brackets, counts.quotes)
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

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
    private let numbers: Storage<Double>
    private var index = 0

    init(_ document: ntk_json_document, _ numbers: Storage<Double>) {
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
            let elements = NumericElements(numbers, node.start..<node.start + node.count)
            return .tensor(NumericArray(shape: shape, elements: elements, hasNulls: node.has_nulls))
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
