/// Appends JSON to a buffer of bytes. The caller keeps the grammar: a key before every value of an object, as many ends as begins.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// Whether a comma must come before the next value.
    private var needsComma = false

    package init() {}

    /// A writer whose first value follows others of an array that another writer has begun.
    package init(continuingArray: Bool) { needsComma = continuingArray }

    /// Room for a piece of a matrix, so that the buffer does not grow while it is written.
    package mutating func reserve(numbers: Int) { bytes.reserveCapacity(bytes.count + 24 * numbers) }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func value(_ string: String) {
        separate()
        quote(string)
    }

    package mutating func value(_ integer: Int) { literal(String(integer)) }
    package mutating func value(_ bool: Bool) { literal(bool ? "true" : "false") }
    package mutating func null() { literal("null") }

    /// The shortest text that reads back as the same number.
    package mutating func value<Number: JSONFloat>(_ number: Number) throws(NotFiniteError) {
        try values([number].span)
    }

    /// Numbers one after another, as the members of an array that is open.
    package mutating func values<Number: JSONFloat>(_ numbers: Span<Number>) throws(NotFiniteError) {
        guard !numbers.isEmpty else { return }
        separate()
        var written = 0
        bytes.append(addingCapacity: numbers.count * Number.jsonSize) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, count in
                unsafe numbers.withUnsafeBufferPointer { source in
                    if let start = buffer.baseAddress, let first = source.baseAddress {
                        count += unsafe Number.writeJSON(first, source.count, start + count, &written)
                    }
                }
            }
        }
        guard written == numbers.count else { throw NotFiniteError(index: written) }
    }

    /// An array of one number list for each row of `columns` numbers.
    package mutating func rows<Number: JSONFloat>(_ numbers: Span<Number>, columns: Int) throws(NotFiniteError) {
        precondition(columns > 0 && numbers.count % columns == 0)
        for start in stride(from: 0, to: numbers.count, by: columns) {
            beginArray()
            do {
                try values(numbers.extracting(start..<start + columns))
            } catch {
                throw NotFiniteError(index: start + error.index)
            }
            endArray()
        }
    }

    /// Bytes that are JSON already.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        bytes += json
    }

    package mutating func member(_ name: String, _ string: String) {
        key(name)
        value(string)
    }

    package mutating func member(_ name: String, _ integer: Int) {
        key(name)
        value(integer)
    }

    package mutating func member<Number: JSONFloat>(_ name: String, _ number: Number) throws(NotFiniteError) {
        key(name)
        try value(number)
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes += text.utf8
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func quote(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
