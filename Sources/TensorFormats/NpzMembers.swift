/// The members of a zip archive that may be read: inside it, stored or deflated, and of no more bytes together than is said.
struct NpzMembers {
    struct Member {
        var name: String
        var isDeflated: Bool
        /// As it stands in the archive.
        var packed: ArraySlice<UInt8>
        /// Bytes once it is inflated.
        var size: Int
        var checksum: UInt32
    }

    private static let format = ".npz"
    /// Inflated bytes for one of the archive, above `bytesWithoutRatio`. Deflate reaches 1,000, with nothing but zeros.
    private static let maximumRatio = 100
    private static let bytesWithoutRatio = 16 << 20

    private let bytes: ArraySlice<UInt8>
    private var directory: NpzDirectory
    private let limit: Int
    private var left: Int

    /// - Parameter limit: bytes that all members may take when they are inflated; nor may they take more than `maximumRatio` times the archive.
    init(_ bytes: ArraySlice<UInt8>, limit: Int) throws(FormatError) {
        self.bytes = bytes
        directory = try NpzDirectory(bytes)
        self.limit = min(limit, max(Self.bytesWithoutRatio, bytes.count * Self.maximumRatio))
        left = self.limit
    }

    /// The next member; nil after the last.
    mutating func next() throws(FormatError) -> Member? {
        guard let entry = try directory.next() else { return nil }
        let (name, size) = (entry.name, entry.size)
        guard entry.start <= bytes.count, entry.packed <= bytes.count - entry.start, size <= left else {
            throw FormatError(Self.format, "members inside the archive, of at most \(limit) bytes together, expected")
        }
        left -= size
        let packed = bytes.dropFirst(entry.start).prefix(entry.packed)
        switch entry.method {
        case 0:
            guard packed.count == size else { throw FormatError(Self.format, "\(size) bytes of \(name) expected; \(packed.count) came") }
        case 8:
            // Deflate packs 1,032 bytes into one at the most: what claims more takes no memory.
            guard size <= packed.count * 1_032 else { throw Self.damaged(name, size) }
        default:
            throw FormatError(
                Self.format, "members that are stored or deflated expected; \(name) is packed by method \(entry.method)")
        }
        return Member(name: name, isDeflated: entry.method == 8, packed: packed, size: size, checksum: entry.checksum)
    }

    static func damaged(_ name: String, _ size: Int) -> FormatError {
        FormatError(format, "\(size) bytes of \(name) in deflated form expected")
    }
}
