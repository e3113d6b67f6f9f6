internal import CDeflate

/// Named arrays as a `.npz` file: a zip archive of `.npy` members, stored or deflated.
package enum Npz {
    private static let format = ".npz"
    static let metaName = "meta.json"

    package static func isZip(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: [0x50, 0x4B]) }

    /// The members by name, without `.npy`, and the text of `meta.json` if there is one.
    /// - Parameter limit: bytes that all members may take when they are inflated; nor may they take more than some times the archive.
    package static func read(_ bytes: ArraySlice<UInt8>, limit: Int) throws(FormatError) -> (
        arrays: [(name: String, array: NumericArray)], meta: [UInt8]?
    ) {
        var members = try NpzMembers(bytes, limit: limit)
        var names: Set<ExactText> = []
        var arrays: [(String, NumericArray)] = []
        var meta: [UInt8]?
        while let member = try members.next() {
            let name = member.name
            let content = try content(member)
            guard names.insert(ExactText(name)).inserted else {
                throw FormatError(format, "members of different names expected; \(name.prefix(80)) came twice")
            }
            guard Checksum.crc32(content) == member.checksum else { throw FormatError(format, "\(name.prefix(80)) undamaged expected") }
            if name == metaName {
                meta = Array(content)
            } else if name.hasSuffix(".npy") {
                arrays.append((String(name.dropLast(4)), try Npy.read(content)))
            } else {
                let hint = name.hasSuffix(".pkl") ? ", a pickle, which is never read: safetensors.torch.save_file writes what is" : ""
                throw FormatError(format, "members named ….npy, or \(metaName), expected; \(name.prefix(80)) came\(hint)")
            }
        }
        return (arrays, meta)
    }

    /// What a member holds: a part of the archive itself where it is stored.
    private static func content(_ member: NpzMembers.Member) throws(FormatError) -> ArraySlice<UInt8> {
        guard member.isDeflated else { return member.packed }
        guard let content = inflated(member.packed, size: member.size) else { throw NpzMembers.damaged(member.name, member.size) }
        return content[...]
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
