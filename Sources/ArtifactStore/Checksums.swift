/// The checksums of files, by name, as a text that is checked itself:
///
///     ntk-server checksums, blocks of 16384 bytes
///     manifest.json 512 1c291ca3
///     tensors.safetensors 20000 9be3e0a3e8b7be43
///     crc32 5a1f09c7
///
/// that is, of each file its name, its bytes, and the CRC-32 of each of its blocks; then that of the lines above.
package struct Checksums: Sendable {
    static let file = "checksums"
    private static let head = "ntk-server checksums, blocks of \(FileSums.blockBytes) bytes"
    private static let end = "crc32 "
    private static let digits = Array("0123456789abcdef".utf8)

    package var files: [String: FileSums] = [:]

    package init() {}

    package var text: [UInt8] {
        var text = Array((Self.head + "\n").utf8)
        for (name, sums) in files.sorted(by: { $0.key < $1.key }) {
            text += Array("\(name) \(sums.count) ".utf8)
            for sum in sums.sums { Self.write(sum, to: &text) }
            text.append(0x0A)
        }
        let sum = unsafe FileSums.crc32(text.span.bytes)
        text += Array(Self.end.utf8)
        Self.write(sum, to: &text)
        return text + [0x0A]
    }

    /// Nil if the text is damaged.
    package init?(text: [UInt8]) {
        let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[0].elementsEqual(Self.head.utf8), lines[lines.count - 1].isEmpty else { return nil }
        let last = lines[lines.count - 2]
        guard last.starts(with: Self.end.utf8), let sum = Self.numbers(last.dropFirst(Self.end.utf8.count)), sum.count == 1,
            unsafe FileSums.crc32(text.span.extracting(0..<last.startIndex).bytes) == sum[0]
        else { return nil }
        for line in lines[1..<lines.count - 2] {
            let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 3, let count = Int(String(decoding: parts[1], as: UTF8.self)), count >= 0, let sums = Self.numbers(parts[2]),
                sums.count == FileSums.blocks(count)
            else { return nil }
            files[String(decoding: parts[0], as: UTF8.self)] = FileSums(count: count, sums: sums)
        }
    }

    private static func write(_ number: UInt32, to text: inout [UInt8]) {
        for shift in stride(from: 28, through: 0, by: -4) { text.append(digits[Int(number >> shift & 15)]) }
    }

    private static func numbers(_ text: ArraySlice<UInt8>) -> [UInt32]? {
        guard text.count % 8 == 0 else { return nil }
        var numbers: [UInt32] = []
        numbers.reserveCapacity(text.count / 8)
        var number: UInt32 = 0
        for (index, digit) in text.enumerated() {
            switch digit {
            case 0x30...0x39: number = number << 4 | UInt32(digit - 0x30)
            case 0x61...0x66: number = number << 4 | UInt32(digit - 0x61 + 10)
            default: return nil
            }
            if index % 8 == 7 { numbers.append(number) }
        }
        return numbers
    }
}
