/// The directory of a zip archive, entry by entry: what may be read of it, and how large that becomes.
struct NpzDirectory {
    struct Entry {
        var name: String
        /// How it is packed.
        var method: Int
        /// Bytes once it is inflated.
        var size: Int
        /// Where its packed bytes begin, counted from the archive's beginning, and how many there are: not checked against the archive's end.
        var start: Int
        var packed: Int
        var checksum: UInt32
    }

    private static let format = ".npz"
    private let bytes: ArraySlice<UInt8>
    /// Entries that are left, and where the next one begins.
    private var count, place: Int

    init(_ bytes: ArraySlice<UInt8>) throws(FormatError) {
        self.bytes = bytes
        (count, place) = (0, 0)
        // The end record stands within the last 64 kB.
        let first = max(0, bytes.count - 65_557)
        var end = bytes.count - 22
        while end >= first, number(end, 4) != 0x0605_4B50 { end -= 1 }
        guard end >= first else { throw FormatError(Self.format, "a zip archive with its directory at the end expected") }
        (count, place) = (number(end + 10, 2), number(end + 16, 4))
        if count == 0xFFFF || place == 0xFFFF_FFFF {
            // ZIP64: a locator before the end record says where the larger one is.
            let large = end >= 20 && number(end - 20, 4) == 0x0706_4B50 ? number(end - 12, 8) : -1
            guard large >= 0, large <= end - 76, number(large, 4) == 0x0606_4B50 else {
                throw FormatError(Self.format, "the ZIP64 end record expected")
            }
            (count, place) = (number(large + 32, 8), number(large + 48, 8))
        }
    }

    /// The next entry; nil after the last.
    mutating func next() throws(FormatError) -> Entry? {
        guard count > 0 else { return nil }
        count -= 1
        guard place >= 0, place <= bytes.count - 46, number(place, 4) == 0x0201_4B50 else {
            throw FormatError(Self.format, "an entry of the directory expected")
        }
        let (nameLength, extra, comment) = (number(place + 28, 2), number(place + 30, 2), number(place + 32, 2))
        guard place + 46 + nameLength + extra <= bytes.count else {
            throw FormatError(Self.format, "a directory inside the archive expected")
        }
        // Sizes and place, each in the ZIP64 field where its own has no room for it.
        var fields = [number(place + 24, 4), number(place + 20, 4), number(place + 42, 4)]
        var large = place + 46 + nameLength
        let extraEnd = large + extra
        while large + 4 <= extraEnd, number(large, 2) != 1 { large += 4 + number(large + 2, 2) }
        large += 4
        for index in fields.indices where fields[index] == 0xFFFF_FFFF {
            guard large + 8 <= extraEnd else { throw FormatError(Self.format, "a ZIP64 field with the sizes of a large member expected") }
            fields[index] = number(large, 8)
            large += 8
        }
        let (size, packed, local) = (fields[0], fields[1], fields[2])
        guard local >= 0, local <= bytes.count - 30, packed >= 0, size >= 0 else {
            throw FormatError(Self.format, "members inside the archive expected")
        }
        let entry = Entry(
            name: String(decoding: bytes.dropFirst(place + 46).prefix(nameLength), as: UTF8.self), method: number(place + 10, 2), size: size,
            start: local + 30 + number(local + 26, 2) + number(local + 28, 2), packed: packed, checksum: UInt32(number(place + 16, 4)))
        place += 46 + nameLength + extra + comment
        return entry
    }

    private func number(_ place: Int, _ size: Int) -> Int {
        let start = bytes.startIndex + place
        return (0..<size).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
    }
}
