internal import Glibc

/// Reads parts of a file, which stay there also when it is deleted meanwhile. Where checksums of the file are known, no byte is given out whose
/// block does not have its own.
package final class FileReader: Sendable {
    /// Bytes of the file.
    package let count: Int
    /// Whether what is read is checked.
    package var isChecked: Bool { sums != nil }
    /// By which a file that was changed, or that another one took the place of, is told from what it was.
    package let stamp: FileStamp
    private let descriptor: Int32
    private let path: String
    private let sums: FileSums?

    /// Nil if there is no file.
    /// - Throws: `damaged` if it is not as long as its checksums say.
    package init?(_ path: String, sums: FileSums? = nil) throws(ArtifactStoreError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Files.failure("open", path)
        }
        self.path = path
        self.sums = sums
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let failure = Files.failure("fstat", path)
            close(descriptor)
            throw failure
        }
        count = Int(status.st_size)
        stamp = FileStamp(status)
        guard status.st_mode & S_IFMT == S_IFREG, sums.map({ $0.count == count }) ?? true else {
            close(descriptor)
            throw .damaged(path: path)
        }
    }

    deinit { close(descriptor) }

    /// - Parameter padding: bytes of capacity behind them.
    /// - Throws: `damaged` where the file ends before that, or does not hold what was written.
    package func read(_ range: Range<Int>, padding: Int = 0) throws(ArtifactStoreError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw .damaged(path: path) }
        var failure: ArtifactStoreError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count + padding) { buffer, filled in
            guard let base = buffer.baseAddress else { return }
            do throws(ArtifactStoreError) {
                try unsafe read(range, into: UnsafeMutableRawPointer(base))
                filled = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads a range to where there is room for it.
    @unsafe
    package func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) throws(ArtifactStoreError) {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw .damaged(path: path) }
        guard sums != nil else { return try unsafe fill(range, target) }
        let size = FileSums.blockBytes
        var scratch: [UInt8] = []
        var place = range.lowerBound
        while place < range.upperBound {
            let (start, end) = (place / size * size, min(place / size * size + size, count))
            let own = unsafe target + (place - range.lowerBound)
            if place == start, end <= range.upperBound {
                // Whole blocks are read where they go.
                let last = range.upperBound == count ? count : range.upperBound / size * size
                try unsafe fill(place..<last, own)
                try unsafe check(place..<last, own)
                place = last
            } else {
                if scratch.isEmpty { scratch = [UInt8](repeating: 0, count: size) }
                let last = min(end, range.upperBound)
                var failure: ArtifactStoreError?
                unsafe scratch.withUnsafeMutableBytes { block in
                    guard let base = block.baseAddress else { return }
                    do throws(ArtifactStoreError) {
                        try unsafe fill(start..<end, base)
                        try unsafe check(start..<end, base)
                        unsafe own.copyMemory(from: base + (place - start), byteCount: last - place)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
                place = last
            }
        }
    }

    /// Reads all of it, to see whether it is what was written.
    package func check() throws(ArtifactStoreError) {
        guard sums != nil else { return }
        let step = 64 * FileSums.blockBytes
        for start in stride(from: 0, to: count, by: step) { _ = try read(start..<min(start + step, count)) }
    }

    private func fill(_ range: Range<Int>, _ target: UnsafeMutableRawPointer) throws(ArtifactStoreError) {
        var place = range.lowerBound
        while place < range.upperBound {
            let read = unsafe pread(descriptor, target + (place - range.lowerBound), min(range.upperBound - place, 1 << 30), place)
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw Files.failure("read", path) }
            guard read > 0 else { throw .damaged(path: path) }
            place += read
        }
    }

    /// Compares whole blocks with their checksums.
    private func check(_ range: Range<Int>, _ bytes: UnsafeMutableRawPointer) throws(ArtifactStoreError) {
        guard let sums else { return }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: FileSums.blockBytes) {
            let size = min(FileSums.blockBytes, range.upperBound - start)
            let block = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(bytes + (start - range.lowerBound)), byteCount: size)
            guard FileSums.crc32(block) == sums.sums[start / FileSums.blockBytes] else { throw .damaged(path: path) }
        }
    }
}

/// What the file system says of a file that changes with its content.
package struct FileStamp: Sendable, Hashable {
    private let device, inode: UInt64
    private let size, seconds, nanoseconds: Int

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        seconds = Int(status.st_mtim.tv_sec)
        nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}
