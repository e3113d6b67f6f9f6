internal import CDeflate

/// Named arrays as a `.npz` file: a zip archive of `.npy` members, stored or deflated.
package enum Npz {
    private static let format = ".npz"
    /// Inflated bytes for one of the archive, above `bytesWithoutRatio`. Deflate reaches 1,000, with nothing but zeros.
    private static let maximumRatio = 100
    private static let bytesWithoutRatio = 16 << 20

    package static func isZip(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: [0x50, 0x4B]) }

    /// The members by name, without `.npy`, and the text of `meta.json` if there is one.
    /// - Parameter limit: bytes that all members may take when they are inflated; nor may they take more than `maximumRatio` times the archive.
    package static func read(_ bytes: ArraySlice<UInt8>, limit: Int) throws(FormatError) -> (
        arrays: [(name: String, array: NumericArray)], meta: [UInt8]?
    ) {
        // Places in the archive are counted from 0.
        let bytes = bytes.startIndex == 0 ? bytes : Array(bytes)[...]
        func number(_ place: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
        // The end record stands within the last 64 kB.
        var end = bytes.count - 22
        while end >= max(0, bytes.count - 65_557), number(end, 4) != 0x0605_4B50 { end -= 1 }
        guard end >= max(0, bytes.count - 65_557) else { throw FormatError(format, "a zip archive with its directory at the end expected") }
        var (count, place) = (number(end + 10, 2), number(end + 16, 4))
        if count == 0xFFFF || place == 0xFFFF_FFFF {
            // ZIP64: a locator before the end record says where the larger one is.
            let large = end >= 20 && number(end - 20, 4) == 0x0706_4B50 ? number(end - 12, 8) : -1
            guard large >= 0, large <= end - 76, number(large, 4) == 0x0606_4B50 else { throw FormatError(format, "the ZIP64 end record expected") }
            (count, place) = (number(large + 32, 8), number(large + 48, 8))
        }
        let limit = min(limit, max(bytesWithoutRatio, bytes.count * maximumRatio))
        var left = limit
        var names: Set<String> = []
        var arrays: [(String, NumericArray)] = []
        var meta: [UInt8]?
        for _ in 0..<max(count, 0) {
            guard place >= 0, place <= bytes.count - 46, number(place, 4) == 0x0201_4B50 else {
                throw FormatError(format, "an entry of the directory expected")
            }
            let method = number(place + 10, 2)
            let (nameLength, extra, comment) = (number(place + 28, 2), number(place + 30, 2), number(place + 32, 2))
            guard place + 46 + nameLength + extra <= bytes.count else { throw FormatError(format, "a directory inside the archive expected") }
            // Sizes and place, each in the ZIP64 field where its own has no room for it.
            var fields = [number(place + 24, 4), number(place + 20, 4), number(place + 42, 4)]
            var large = place + 46 + nameLength
            let extraEnd = large + extra
            while large + 4 <= extraEnd, number(large, 2) != 1 { large += 4 + number(large + 2, 2) }
            large += 4
            for index in fields.indices where fields[index] == 0xFFFF_FFFF {
                guard large + 8 <= extraEnd else { throw FormatError(format, "a ZIP64 field with the sizes of a large member expected") }
                fields[index] = number(large, 8)
                large += 8
            }
            let (size, packed, local) = (fields[0], fields[1], fields[2])
            guard local >= 0, local <= bytes.count - 30, packed >= 0, size >= 0 else {
                throw FormatError(format, "members inside the archive expected")
            }
            let name = String(decoding: bytes[place + 46..<place + 46 + nameLength], as: UTF8.self)
            let start = local + 30 + number(local + 26, 2) + number(local + 28, 2)
            guard start <= bytes.count, packed <= bytes.count - start, size <= left else {
                throw FormatError(format, "members inside the archive, of at most \(limit) bytes together, expected")
            }
            left -= size
            let content = try member(name, method, bytes[start..<start + packed], size: size)
            guard names.insert(name).inserted else { throw FormatError(format, "members of different names expected; \(name.prefix(80)) came twice") }
            guard Checksum.crc32(content) == UInt32(number(place + 16, 4)) else { throw FormatError(format, "\(name.prefix(80)) undamaged expected") }
            if name == "meta.json" {
                meta = Array(content)
            } else if name.hasSuffix(".npy") {
                arrays.append((String(name.dropLast(4)), try Npy.read(content)))
            } else {
                throw FormatError(format, "members named ….npy, or meta.json, expected; \(name.prefix(80)) came")
            }
            place += 46 + nameLength + extra + comment
        }
        return (arrays, meta)
    }

    /// What a member holds: a part of the archive itself where it is stored.
    private static func member(_ name: String, _ method: Int, _ packed: ArraySlice<UInt8>, size: Int) throws(FormatError) -> ArraySlice<UInt8> {
        switch method {
        case 0:
            guard packed.count == size else { throw FormatError(format, "\(size) bytes of \(name) expected; \(packed.count) came") }
            return packed
        case 8:
            // Deflate packs 1,032 bytes into one at the most: what claims more takes no memory.
            guard size <= packed.count * 1_032, let content = inflated(packed, size: size) else {
                throw FormatError(format, "\(size) bytes of \(name) in deflated form expected")
            }
            return content[...]
        default: throw FormatError(format, "members that are stored or deflated expected; \(name) is packed by method \(method)")
        }
    }

    /// Nil unless `packed` is the deflated form of exactly `size` bytes, from its beginning to its end.
    private static func inflated(_ packed: ArraySlice<UInt8>, size: Int) -> [UInt8]? {
        guard let decompressor = unsafe libdeflate_alloc_decompressor() else { return nil }
        defer { unsafe libdeflate_free_decompressor(decompressor) }
        var isWhole = false
        let content = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, count in
            var (taken, made) = (0, 0)
            // An empty target has no address, and the library wants one.
            var nothing: UInt8 = 0
            let result = unsafe packed.withUnsafeBytes { source in
                unsafe withUnsafeMutablePointer(to: &nothing) { nothing in
                    unsafe libdeflate_deflate_decompress_ex(
                        decompressor, source.baseAddress, source.count, target.baseAddress ?? nothing, size, &taken, &made)
                }
            }
            isWhole = result == LIBDEFLATE_SUCCESS && taken == packed.count && made == size
            count = isWhole ? size : 0
        }
        return isWhole ? content : nil
    }
}
