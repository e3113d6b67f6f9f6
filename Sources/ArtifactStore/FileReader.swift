internal import Glibc

/// Reads parts of a file, which stay there also when it is deleted meanwhile.
package final class FileReader {
    /// Bytes of the file.
    package let count: Int
    private let descriptor: Int32
    private let path: String

    /// Nil if there is no file.
    package init?(_ path: String) throws(ArtifactStoreError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Files.failure("open", path)
        }
        self.path = path
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let failure = Files.failure("fstat", path)
            close(descriptor)
            throw failure
        }
        count = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// - Parameter padding: bytes of capacity behind them.
    /// - Throws: `damaged` where the file ends before that.
    package func read(_ range: Range<Int>, padding: Int = 0) throws(ArtifactStoreError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw .damaged(path: path) }
        var code: Int32 = 0
        let (start, size) = (range.lowerBound, range.count)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size + padding) { buffer, filled in
            while filled < size {
                let read = unsafe pread(descriptor, buffer.baseAddress.map { unsafe $0 + filled }, min(size - filled, 1 << 30), start + filled)
                if read < 0 && errno == EINTR { continue }
                if read < 0 { code = errno }
                guard read > 0 else { break }
                filled += read
            }
        }
        guard code == 0 else { throw .system(call: "read", path: path, code: code) }
        guard bytes.count == size else { throw .damaged(path: path) }
        return bytes
    }
}
