internal import FoundationEssentials
internal import Glibc

/// The calls on the file system that the store is made of.
package enum Files {
    package static func failure(_ call: String, _ path: String) -> ArtifactStoreError { .system(call: call, path: path, code: errno) }

    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    package static func makeDirectory(_ path: String) throws(ArtifactStoreError) {
        guard unsafe mkdir(path, 0o755) == 0 else { throw failure("mkdir", path) }
    }

    package static func makeDirectories(_ path: String) throws(ArtifactStoreError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw failure("mkdir", path)
        }
    }

    package static func names(in path: String) throws(ArtifactStoreError) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: path) } catch { throw failure("readdir", path) }
    }

    /// Seconds since the last change; nil if nothing is there.
    package static func age(_ path: String) -> Int? {
        status(path).map { time(nil) - $0.st_mtim.tv_sec }
    }

    /// Bytes that a file takes on the disk; nil if it is not there.
    package static func size(_ path: String) -> Int? {
        status(path).map { Int($0.st_blocks) * 512 }
    }

    /// - Returns: false if something stands at the new path already, or the old one has gone.
    package static func rename(_ path: String, to new: String) throws(ArtifactStoreError) -> Bool {
        if unsafe Glibc.rename(path, new) == 0 { return true }
        guard [EEXIST, ENOTEMPTY, ENOENT].contains(errno) else { throw failure("rename", path) }
        return false
    }

    /// Brings the names in a directory to the disk.
    package static func synchronize(_ directory: String) throws(ArtifactStoreError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync", directory) }
    }

    /// Bytes in a file; nil if it is not there.
    package static func count(_ path: String) -> Int? {
        status(path).map { Int($0.st_size) }
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status : nil
    }

    /// All bytes of a file; nil if there is none.
    /// - Parameter padding: bytes of capacity behind them.
    package static func read(_ path: String, padding: Int = 0) throws(ArtifactStoreError) -> [UInt8]? {
        guard let file = try FileReader(path) else { return nil }
        return try file.read(0..<file.count, padding: padding)
    }

    package static func remove(_ path: String) throws(ArtifactStoreError) {
        guard unsafe unlink(path) == 0 else { throw failure("unlink", path) }
    }

    /// Removes a directory and what is in it, as far as that can be done.
    package static func removeTree(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
