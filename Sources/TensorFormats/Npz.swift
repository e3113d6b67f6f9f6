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
        var directory = try NpzDirectory(bytes)
        let limit = min(limit, max(bytesWithoutRatio, bytes.count * maximumRatio))
        var left = limit
        var names: Set<String> = []
        var arrays: [(String, NumericArray)] = []
        var meta: [UInt8]?
        while let entry = try directory.next() {
            let name = entry.name
            guard entry.start <= bytes.count, entry.packed <= bytes.count - entry.start, entry.size <= left else {
                throw FormatError(format, "members inside the archive, of at most \(limit) bytes together, expected")
            }
            left -= entry.size
            let content = try member(name, entry.method, bytes.dropFirst(entry.start).prefix(entry.packed), size: entry.size)
            guard names.insert(name).inserted else { throw FormatError(format, "members of different names expected; \(name.prefix(80)) came twice") }
            guard Checksum.crc32(content) == entry.checksum else { throw FormatError(format, "\(name.prefix(80)) undamaged expected") }
            if name == "meta.json" {
                meta = Array(content)
            } else if name.hasSuffix(".npy") {
                arrays.append((String(name.dropLast(4)), try Npy.read(content)))
            } else {
                throw FormatError(format, "members named ….npy, or meta.json, expected; \(name.prefix(80)) came")
            }
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
