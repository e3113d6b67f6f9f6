/// Named arrays as a `.safetensors` file: the length of a JSON header, the header, the numbers in little-endian order. F64, F32, F16, BF16 and
/// integers.
package enum Safetensors {
    private static let format = ".safetensors"
    /// As in the format's own reader.
    private static let maximumHeaderOctets = 100_000_000
    /// What a header may have to be read only to see what the file takes, in octets and in values.
    private static let headerForDemand = (octets: 256 << 10, values: 1 << 15)

    package struct File: Sendable {
        package var arrays: [(name: String, array: NumericArray)]
        /// Texts by name.
        package var metadata: [(name: String, text: String)]
    }

    package static func read(_ bytes: ArraySlice<UInt8>) throws(FormatError) -> File {
        let header = try header(bytes)
        var file = File(arrays: [], metadata: header.metadata)
        for entry in header.entries {
            let content = bytes[header.end + entry.bytes.lowerBound..<header.end + entry.bytes.upperBound]
            file.arrays.append((entry.name, try .checked(entry.shape, entry.type.numbers(content, isBigEndian: false), format)))
        }
        return file
    }

    /// What `read` takes: the header says the types. Where it is too long to be read for that alone, they are assumed to be of one byte.
    package static func demand(_ bytes: ArraySlice<UInt8>) -> ReadingDemand {
        let count = (try? headerCount(bytes)) ?? 0
        let entries = count > headerForDemand.octets ? nil : (try? header(bytes, values: headerForDemand.values))?.entries
        let numbers = entries?.reduce(0) { $0 + $1.bytes.count / $1.type.size * MemoryLayout<Double>.stride + ReadingDemand.arrayBytes }
        return ReadingDemand(kept: numbers ?? bytes.count * MemoryLayout<Double>.stride, text: count)
    }

    /// Bytes of a header.
    private static func headerCount(_ bytes: ArraySlice<UInt8>) throws(FormatError) -> Int {
        let start = bytes.startIndex
        guard bytes.count >= 8 else { throw FormatError(format, "a header's length of 8 bytes expected; \(bytes.count) bytes came") }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
        guard length <= UInt64(bytes.count - 8) else {
            throw FormatError(format, "a header of at most \(bytes.count - 8) bytes expected; its length is \(length)")
        }
        guard length <= UInt64(Self.maximumHeaderOctets) else {
            throw FormatError(format, "a header of at most \(Self.maximumHeaderOctets) bytes expected; its length is \(length)")
        }
        return Int(length)
    }

    /// The header, and where the arrays begin. What it says of them is sound, so that they can be allocated.
    private static func header(
        _ bytes: ArraySlice<UInt8>, values: Int = JSONLimits().values
    ) throws(FormatError) -> (entries: [Entry], metadata: [(name: String, text: String)], end: Int) {
        let start = bytes.startIndex + 8
        let end = start + (try headerCount(bytes))
        guard end > start, bytes[start] == UInt8(ascii: "{") else { throw FormatError(format, "a header that begins with { expected") }
        let header: JSONValue
        do { header = try JSONValue.parse(copying: bytes[start..<end], limits: JSONLimits(values: values)) } catch {
            throw FormatError(format, "a JSON header expected: \(error.detail)")
        }
        guard case .object(let object) = header else { throw FormatError(format, "a JSON object as header expected") }
        var entries: [Entry] = []
        var metadata: [(name: String, text: String)] = []
        for (name, value) in object.members {
            guard case .object(let entry) = value else { throw FormatError(format, "an object for \(name) expected") }
            if name == "__metadata__" {
                metadata = entry.members.compactMap { key, value in if case .string(let text) = value { (key, text) } else { nil } }
                continue
            }
            entries.append(try self.entry(name, entry))
        }
        // Before anything is allocated: arrays that overlap could take many times the file.
        try checkCover(entries, of: bytes.endIndex - end)
        return (entries, metadata, end)
    }

    /// What the header says of one array.
    private struct Entry {
        var name: String
        var type: NumberType
        var shape: [Int]
        var bytes: Range<Int>
    }

    private static func entry(_ name: String, _ entry: JSONObject) throws(FormatError) -> Entry {
        guard case .string(let typeName) = entry["dtype"], let type = type(typeName) else {
            throw FormatError(format, "F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 or BOOL as dtype of \(name) expected")
        }
        guard let shape = integers(entry["shape"]), let offsets = integers(entry["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1] else {
            throw FormatError(format, "shape and two data_offsets of \(name) expected")
        }
        guard let count = NumericArray.count(shape), count.multipliedReportingOverflow(by: type.size) == (offsets[1] - offsets[0], false) else {
            throw FormatError(format, "as many bytes of \(name) as its shape \(shape) takes expected; \(offsets[1] - offsets[0]) came")
        }
        return Entry(name: name, type: type, shape: shape, bytes: offsets[0]..<offsets[1])
    }

    /// The arrays stand one behind another, and there is nothing else.
    private static func checkCover(_ entries: [Entry], of count: Int) throws(FormatError) {
        var end = 0
        for entry in entries.sorted(by: { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }) {
            guard entry.bytes.lowerBound == end else {
                throw FormatError(
                    format, "arrays without a gap or an overlap expected; \(entry.name) begins at \(entry.bytes.lowerBound), not \(end)")
            }
            end = entry.bytes.upperBound
        }
        guard end == count else { throw FormatError(format, "\(end) bytes of arrays expected behind the header; \(count) came") }
    }

    private static func type(_ name: String) -> NumberType? {
        switch name {
        case "F64": .float64
        case "F32": .float32
        case "F16": .float16
        case "BF16": .bfloat16
        case "I64": .int64
        case "I32": .int32
        case "I16": .int16
        case "I8": .int8
        case "U64": .uint64
        case "U32": .uint32
        case "U16": .uint16
        case "U8": .uint8
        case "BOOL": .bool
        default: nil
        }
    }

    private static func integers(_ value: JSONValue?) -> [Int]? {
        switch value {
        case .tensor(let array) where array.shape.count == 1:
            let integers = array.elements.compactMap { Int(exactly: $0) }
            return integers.count == array.elements.count && integers.allSatisfy { $0 >= 0 } ? integers : nil
        case .array(let values) where values.isEmpty: return []
        default: return nil
        }
    }
}
