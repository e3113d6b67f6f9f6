internal import FoundationEssentials
internal import Glibc

/// The calls on the file system that the store is made of.
package enum Files {
    package static func failure(_ call: String, _ path: String) -> ArtifactStoreError { .system(call: call, path: path, code: errno) }

    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Throws unless this process may make files in a directory.
    package static func checkWritable(_ directory: String) throws(ArtifactStoreError) {
        guard unsafe access(directory, W_OK | X_OK) == 0 else { throw failure("access", directory) }
    }

    package static func makeDirectory(_ path: String) throws(ArtifactStoreError) {
        guard unsafe mkdir(path, 0o755) == 0 else { throw failure("mkdir", path) }
    }

    /// Makes a directory, and those above it that are missing.
    package static func makeDirectories(_ path: String) throws(ArtifactStoreError) {
        if unsafe mkdir(path, 0o755) == 0 { return }
        if errno == ENOENT, let end = path.lastIndex(of: "/"), end > path.startIndex {
            try makeDirectories(String(path[..<end]))
            if unsafe mkdir(path, 0o755) == 0 { return }
        }
        let failure = failure("mkdir", path)
        guard isDirectory(path) else { throw failure }
    }

    package static func isDirectory(_ path: String) -> Bool { status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false }

    /// The names in a directory, in no order.
    package static func names(in path: String) throws(ArtifactStoreError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw failure("opendir", path) }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while true {
            // The end is told from a failure by this alone.
            errno = 0
            guard let entry = unsafe readdir(directory) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw failure("readdir", path) }
        return names
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

    /// Gives a file a second name.
    /// - Returns: false if something stands there already.
    package static func link(_ path: String, to new: String) throws(ArtifactStoreError) -> Bool {
        if unsafe Glibc.link(path, new) == 0 { return true }
        guard errno == EEXIST else { throw failure("link", path) }
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

    /// What changes when a file, or the names in a directory, do; nil if nothing is there.
    package static func stamp(_ path: String) -> FileStamp? { status(path).map { FileStamp($0) } }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status : nil
    }

    /// All bytes of a file; nil if there is none.
    /// - Parameters:
    ///   - most: a longer file is none of ours.
    ///   - padding: bytes of capacity behind them.
    package static func read(_ path: String, most: Int = .max, padding: Int = 0, sums: FileSums? = nil) throws(ArtifactStoreError) -> [UInt8]? {
        guard let file = try FileReader(path, sums: sums) else { return nil }
        guard file.count <= most else { throw .damaged(path: path) }
        return try file.read(0..<file.count, padding: padding)
    }

    package static func remove(_ path: String) throws(ArtifactStoreError) {
        guard unsafe unlink(path) == 0 else { throw failure("unlink", path) }
    }

    /// Removes a directory and what is in it, as far as that can be done.
    package static func removeTree(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
