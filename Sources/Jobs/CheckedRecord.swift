internal import ArtifactStore

/// A JSON object with the CRC-32 of its text as the last member: `{…,"crc32":"1c291ca3"}`, which is that of all that stands before the comma.
enum CheckedRecord {
    private static let member = Array(",\"crc32\":\"".utf8)
    private static let digits = 8
    /// Of the member and what closes the object.
    private static let bytes = member.count + digits + 2

    /// - Parameter json: a text that ends with an object that is not empty.
    static func sealed(_ json: [UInt8]) -> [UInt8] {
        let text = Array(json.dropLast())
        return text + member + hexadecimal(unsafe FileSums.crc32(text.span.bytes)) + Array("\"}".utf8)
    }

    /// Whether a text has its checksum; nil if it has none.
    static func isWhole(_ json: [UInt8]) -> Bool? {
        guard json.count > bytes, json[(json.count - bytes)...].starts(with: member) else { return nil }
        let sum = json[(json.count - digits - 2)..<(json.count - 2)]
        return unsafe sum.elementsEqual(hexadecimal(FileSums.crc32(json.span.extracting(0..<json.count - bytes).bytes)))
    }

    private static func hexadecimal(_ number: UInt32) -> [UInt8] {
        let text = String(number, radix: 16)
        return Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8)
    }
}
