internal import CDeflate

/// The CRC-32 (ISO/IEC 3309, the one of zip and gzip) of every block of a file: what is read is checked a block at a time, and a flipped bit,
/// or any error of up to 32 bits in a row, is always seen; others are missed with probability 2⁻³².
package struct FileSums: Sendable, Equatable {
    /// Bytes of a block, the last one of a file aside.
    package static let blockBytes = 16_384

    /// Bytes of the file.
    package private(set) var count = 0
    package private(set) var sums: [UInt32] = []

    package init() {}

    init(count: Int, sums: [UInt32]) {
        self.count = count
        self.sums = sums
    }

    /// Blocks of a file of so many bytes.
    static func blocks(_ count: Int) -> Int { count / blockBytes + (count % blockBytes > 0 ? 1 : 0) }

    /// Adds what comes next in the file.
    package mutating func append(_ bytes: RawSpan) {
        var place = 0
        while place < bytes.byteCount {
            let filled = count % Self.blockBytes
            let piece = min(Self.blockBytes - filled, bytes.byteCount - place)
            if filled == 0 { sums.append(0) }
            sums[sums.count - 1] = Self.crc32(bytes.extracting(place..<place + piece), after: sums[sums.count - 1])
            count += piece
            place += piece
        }
    }

    /// The checksum of `bytes` behind others whose checksum is `before`.
    package static func crc32(_ bytes: RawSpan, after before: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe libdeflate_crc32(before, $0.baseAddress, $0.count) }
    }
}
