/// The wire format of protocol buffers: fields, each a number and a varint, eight bytes, four bytes or a run of bytes.
///
/// A reader is a range of the file. Every length is checked against the range before it is used, and sums are checked, so that no file
/// makes it read outside or overflow. Source: the encoding guide of protocol buffers.
struct WireReader {
    /// The content of a field.
    enum Payload {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Range<Int>)
    }

    struct Field {
        var number: Int
        var payload: Payload
        /// Where the field begins, for messages.
        var offset: Int
    }

    let bytes: [UInt8]
    private(set) var position: Int
    let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position >= end }

    /// The next field; nil at the end.
    mutating func field() throws(ONNXError) -> Field? {
        guard position < end else { return nil }
        let offset = position
        let key = try varint()
        let number = key >> 3
        guard number > 0, number <= 536_870_911 else { throw .malformed("field number \(number)", offset: offset) }
        let payload: Payload
        switch key & 7 {
        case 0: payload = .varint(try varint())
        case 1: payload = .fixed64(try fixed(8))
        case 5: payload = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - position) else {
                throw .malformed("a field of \(length) bytes where \(end - position) are left", offset: offset)
            }
            payload = .bytes(position..<position + Int(length))
            position += Int(length)
        case let type: throw .malformed("wire type \(type)", offset: offset)
        }
        return Field(number: Int(number), payload: payload, offset: offset)
    }

    /// A variable-length integer of at most ten bytes.
    mutating func varint() throws(ONNXError) -> UInt64 {
        var value: UInt64 = 0
        let start = position
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard position < end else { throw .malformed("a varint that is cut off", offset: start) }
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 127) << shift
            if byte < 128 { return value }
        }
        throw .malformed("a varint of more than 64 bits", offset: start)
    }

    private mutating func fixed(_ count: Int) throws(ONNXError) -> UInt64 {
        guard end - position >= count else { throw .malformed("a number of \(count) bytes that is cut off", offset: position) }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += count
        return value
    }
}

extension WireReader.Field {
    func malformed(_ expected: String) -> ONNXError { .malformed("\(expected) was expected in field \(number)", offset: offset) }

    /// The range of a message, a string or bytes.
    func range() throws(ONNXError) -> Range<Int> {
        guard case .bytes(let range) = payload else { throw malformed("a run of bytes") }
        return range
    }

    func integer() throws(ONNXError) -> Int {
        guard case .varint(let value) = payload else { throw malformed("an integer") }
        return Int(Int64(bitPattern: value))
    }

    func float() throws(ONNXError) -> Float {
        guard case .fixed32(let bits) = payload else { throw malformed("a number of 32 bits") }
        return Float(bitPattern: bits)
    }

    func string(_ bytes: [UInt8]) throws(ONNXError) -> String { String(decoding: bytes[try range()], as: UTF8.self) }

    /// Appends the integers of a repeated field, packed or not.
    func append(to integers: inout [Int], _ bytes: [UInt8]) throws(ONNXError) {
        switch payload {
        case .varint(let value): integers.append(Int(Int64(bitPattern: value)))
        case .bytes(let range):
            var reader = WireReader(bytes, range)
            while !reader.isAtEnd { integers.append(Int(Int64(bitPattern: try reader.varint()))) }
        default: throw malformed("integers")
        }
    }

    /// Appends the floats of a repeated field, packed or not.
    func append(to floats: inout [Float], _ bytes: [UInt8]) throws(ONNXError) {
        switch payload {
        case .fixed32(let bits): floats.append(Float(bitPattern: bits))
        case .bytes(let range):
            guard range.count.isMultiple(of: 4) else { throw malformed("whole numbers of 32 bits") }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
                floats.append(Float(bitPattern: bytes.littleEndian(at: start, UInt32.self)))
            }
        default: throw malformed("numbers of 32 bits")
        }
    }

    /// Appends the doubles of a repeated field, packed or not.
    func append(to doubles: inout [Double], _ bytes: [UInt8]) throws(ONNXError) {
        switch payload {
        case .fixed64(let bits): doubles.append(Double(bitPattern: bits))
        case .bytes(let range):
            guard range.count.isMultiple(of: 8) else { throw malformed("whole numbers of 64 bits") }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                doubles.append(Double(bitPattern: bytes.littleEndian(at: start, UInt64.self)))
            }
        default: throw malformed("numbers of 64 bits")
        }
    }
}

extension [UInt8] {
    /// The integer that begins at a place, of which all bytes are there.
    func littleEndian<Integer: FixedWidthInteger>(at start: Int, _: Integer.Type) -> Integer {
        var value: Integer = 0
        for index in 0..<Integer.bitWidth / 8 { value |= Integer(truncatingIfNeeded: self[start + index]) << Integer(8 * index) }
        return value
    }
}
