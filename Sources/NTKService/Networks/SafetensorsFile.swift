internal import ArtifactStore
internal import TensorFormats

/// Parameters as a .safetensors file of float64: the length of a JSON header, the header, the numbers, little-endian.
enum SafetensorsFile {
    static func write(_ arrays: [String: NumericArray], to file: FileWriter) throws {
        let sorted = arrays.sorted { $0.key < $1.key }
        var json = JSONWriter()
        json.beginObject()
        var offset = 0
        for (name, array) in sorted {
            json.key(name)
            json.beginObject()
            json.member("dtype", "F64")
            json.key("shape")
            json.beginArray()
            for extent in array.shape { json.value(extent) }
            json.endArray()
            json.key("data_offsets")
            json.beginArray()
            json.value(offset)
            offset += array.elements.count * 8
            json.value(offset)
            json.endArray()
            json.endObject()
        }
        json.endObject()
        // Padded with spaces so that the numbers are aligned.
        let header = json.bytes + [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.bytes.count % 8) % 8)
        try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header)
        for (_, array) in sorted { try unsafe file.write(array.elements.span.bytes) }
    }

    static func read(_ bytes: [UInt8]) throws -> [String: NumericArray] {
        guard bytes.count >= 8 else { throw ProblemDetails.damagedRecord("parameters.safetensors") }
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        guard length >= 0, length <= bytes.count - 8, case .object(let header) = try JSONValue.parse(Array(bytes[8..<8 + length])) else {
            throw ProblemDetails.damagedRecord("parameters.safetensors")
        }
        var arrays: [String: NumericArray] = [:]
        for (name, value) in header.members {
            guard case .object(let entry) = value, case .tensor(let offsets) = entry["data_offsets"], offsets.elements.count == 2,
                let start = offsets.elements.first.flatMap({ Int(exactly: $0) }), let end = offsets.elements.last.flatMap({ Int(exactly: $0) }),
                start >= 0, start <= end, end <= bytes.count - 8 - length, (end - start) % 8 == 0
            else { throw ProblemDetails.damagedRecord("parameters.safetensors") }
            let shape: [Int] = if case .tensor(let extents) = entry["shape"] { extents.elements.compactMap { Int(exactly: $0) } } else { [] }
            let numbers = stride(from: 8 + length + start, to: 8 + length + end, by: 8).map { place in
                Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * UInt64($1)) })
            }
            guard shape.reduce(1, *) == numbers.count else { throw ProblemDetails.damagedRecord("parameters.safetensors") }
            arrays[name] = NumericArray(shape: shape, elements: numbers[...])
        }
        return arrays
    }
}
