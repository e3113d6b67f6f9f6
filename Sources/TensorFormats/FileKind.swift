/// What bytes are, by how they begin: to tell a client what came where an array file was expected.
package enum FileKind {
    private static let searched = 4_096

    /// Such as "a pickle"; nil for what looks like none of these.
    package static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        if bytes.isEmpty { return "nothing" }
        for (magic, name) in magics where bytes.starts(with: magic) { return name }
        if bytes.starts(with: Array("version https://git-lfs.github.com/spec/".utf8)) {
            return "a git-LFS pointer, which stands for a file that was not fetched (git lfs pull),"
        }
        if isSafetensors(bytes) { return "a .safetensors file" }
        return text(bytes)
    }

    /// Whether it can be a .safetensors file: the length of a header, and what a header begins with.
    package static func isSafetensors(_ bytes: ArraySlice<UInt8>) -> Bool {
        let start = bytes.startIndex
        guard bytes.count > 8 else { return false }
        // A header of 2⁴⁰ bytes is beyond any file, and no text has such a length.
        return bytes[start + 8] == UInt8(ascii: "{") && bytes[start + 5..<start + 8].allSatisfy { $0 == 0 }
    }

    private static let magics: [([UInt8], String)] = [
        ([0x93] + Array("NUMPY".utf8), "a .npy file"), ([0x50, 0x4B], "a zip archive"),
        // Protocols 2 to 5: also what torch.save wrote before it wrote archives.
        ([0x80, 0x02], pickle), ([0x80, 0x03], pickle), ([0x80, 0x04], pickle), ([0x80, 0x05], pickle),
        ([0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A], "an HDF5 file"), ([0x1F, 0x8B], "a gzip file"), (Array("MATLAB".utf8), "a MATLAB file"),
        (Array("PAR1".utf8), "a Parquet file"), (Array("ARROW1".utf8), "an Arrow file"), ([0x89] + Array("PNG\r\n".utf8), "a PNG image"),
        ([0xFF, 0xD8, 0xFF], "a JPEG image"), (Array("%PDF".utf8), "a PDF file"), (Array("BZh".utf8), "a bzip2 file"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file"), ([0xFD] + Array("7zXZ".utf8), "an xz file"),
    ]
    private static let pickle =
        "a pickle, which is never read, as it can run any program (torch.save and numpy.save of objects write it; "
        + "safetensors.torch.save_file and numpy.savez do not),"

    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let head = bytes.prefix(searched)
        guard head.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }) else { return nil }
        let first = head.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return "JSON text" }
        if first == UInt8(ascii: "<") { return "HTML or XML text" }
        let hasSeparators = head.contains { $0 == UInt8(ascii: ",") || $0 == 0x09 || $0 == UInt8(ascii: ";") }
        return hasSeparators && head.contains { (0x30...0x39).contains($0) } ? "CSV text" : "text"
    }
}
