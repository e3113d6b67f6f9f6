internal import Glibc

/// Writes a new file from start to end.
package struct FileWriter {
    private let descriptor: Int32
    private let path: String

    /// Makes the file, lets `body` write it, and brings it to the disk, if it is to be `isDurable`.
    package static func write(to path: String, isDurable: Bool = true, _ body: (FileWriter) throws -> Void) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Files.failure("open", path) }
        defer { close(descriptor) }
        try body(FileWriter(descriptor: descriptor, path: path))
        guard !isDurable || fsync(descriptor) == 0 else { throw Files.failure("fsync", path) }
    }

    package func write(_ bytes: [UInt8]) throws(ArtifactStoreError) {
        try unsafe write(bytes.span.bytes)
    }

    package func write(_ bytes: RawSpan) throws(ArtifactStoreError) {
        var done = 0
        while done < bytes.byteCount {
            let written = unsafe bytes.extracting(done..<bytes.byteCount).withUnsafeBytes { piece in
                unsafe Glibc.write(descriptor, piece.baseAddress, min(piece.count, 1 << 30))
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw Files.failure("write", path) }
            done += written
        }
    }
}
