internal import Glibc

/// Writes a new file from start to end, and takes the checksums of what it writes.
package final class FileWriter {
    private let descriptor: Int32
    private let path: String
    private var sums = FileSums()

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Makes the file, lets `body` write it, and brings it to the disk, if it is to be `isDurable`.
    /// - Returns: the checksums of the file.
    @discardableResult
    package static func write(to path: String, isDurable: Bool = true, _ body: (FileWriter) throws -> Void) throws -> FileSums {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Files.failure("open", path) }
        defer { close(descriptor) }
        let writer = FileWriter(descriptor: descriptor, path: path)
        try body(writer)
        guard !isDurable || fsync(descriptor) == 0 else { throw Files.failure("fsync", path) }
        return writer.sums
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
        sums.append(bytes)
    }
}
