internal import CZlib

/// Named arrays as a `.npz` file: a zip archive of `.npy` members, stored or deflated.
package enum Npz {
    private static let format = ".npz"

    package static func isZip(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: [0x50, 0x4B]) }

    /// The members by name, without `.npy`, and the text of `meta.json` if there is one.
    /// - Parameter limit: bytes that all members may take when they are inflated.
    package static func read(_ bytes: ArraySlice<UInt8>, limit: Int) throws(FormatError) -> (
        arrays: [(name: String, array: NumericArray)], meta: [UInt8]?
    ) {
        let bytes = Array(bytes)
        func number(_ place: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
        // The end record stands within the last 64 kB.
        var end = bytes.count - 22
        while end >= max(0, bytes.count - 65_557), number(end, 4) != 0x0605_4B50 { end -= 1 }
        guard end >= max(0, bytes.count - 65_557) else { throw FormatError(format, "a zip archive with its directory at the end expected") }
        var place = number(end + 16, 4)
        var left = limit
        var arrays: [(String, NumericArray)] = []
        var meta: [UInt8]?
        for _ in 0..<number(end + 10, 2) {
            guard place + 46 <= bytes.count, number(place, 4) == 0x0201_4B50 else { throw FormatError(format, "an entry of the directory expected") }
            let (method, packed, size) = (number(place + 10, 2), number(place + 20, 4), number(place + 24, 4))
            let (nameLength, extra, comment) = (number(place + 28, 2), number(place + 30, 2), number(place + 32, 2))
            let local = number(place + 42, 4)
            guard place + 46 + nameLength <= bytes.count, local + 30 <= bytes.count, packed != 0xFFFF_FFFF, size != 0xFFFF_FFFF else {
                throw FormatError(format, "members of less than 4 GiB inside the archive expected")
            }
            let name = String(decoding: bytes[place + 46..<place + 46 + nameLength], as: UTF8.self)
            let start = local + 30 + number(local + 26, 2) + number(local + 28, 2)
            guard start + packed <= bytes.count, size <= left else {
                throw FormatError(format, "members inside the archive, of at most \(limit) bytes together, expected")
            }
            left -= size
            let content = try member(name, method, bytes[start..<start + packed], size: size)
            if name == "meta.json" {
                meta = content
            } else if name.hasSuffix(".npy") {
                arrays.append((String(name.dropLast(4)), try Npy.read(content[...])))
            } else {
                throw FormatError(format, "members named ….npy, or meta.json, expected; \(name.prefix(80)) came")
            }
            place += 46 + nameLength + extra + comment
        }
        return (arrays, meta)
    }

    private static func member(_ name: String, _ method: Int, _ packed: ArraySlice<UInt8>, size: Int) throws(FormatError) -> [UInt8] {
        switch method {
        case 0:
            guard packed.count == size else { throw FormatError(format, "\(size) bytes of \(name) expected; \(packed.count) came") }
            return Array(packed)
        case 8:
            var source = Array(packed)
            var status: Int32 = 0
            let content = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, count in
                var stream = unsafe z_stream()
                // Negative window bits: deflate without a zlib header.
                status = unsafe inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
                guard status == Z_OK else { return }
                unsafe source.withUnsafeMutableBufferPointer { source in
                    unsafe stream.next_in = source.baseAddress
                    unsafe stream.avail_in = UInt32(source.count)
                    unsafe stream.next_out = target.baseAddress
                    unsafe stream.avail_out = UInt32(size)
                    status = unsafe inflate(&stream, Z_FINISH)
                }
                count = unsafe size - Int(stream.avail_out)
                unsafe inflateEnd(&stream)
            }
            guard status == Z_STREAM_END, content.count == size else {
                throw FormatError(format, "\(size) bytes of \(name) in deflated form expected")
            }
            return content
        default: throw FormatError(format, "members that are stored or deflated expected; \(name) is packed by method \(method)")
        }
    }
}
