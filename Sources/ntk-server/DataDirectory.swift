import ArgumentParser
import FoundationEssentials

/// The directory of what is stored. While it cannot be written, the server is not ready.
struct DataDirectory: Sendable {
    let path: String
    /// Whether it goes with the process.
    private let isTemporary: Bool

    /// For an empty path a directory of the process's own, which `removeIfTemporary` removes.
    init(path given: String) throws {
        isTemporary = given.isEmpty
        let path = isTemporary ? FileManager.default.temporaryDirectory.path + "/ntk-server-" + UUID().uuidString : given
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ValidationError("Cannot make the data directory \(path): \(error)")
        }
        self.path = path
        guard isWritable else { throw ValidationError("The data directory \(path) cannot be written.") }
    }

    func removeIfTemporary() {
        if isTemporary { try? FileManager.default.removeItem(atPath: path) }
    }

    var isWritable: Bool { FileManager.default.isWritableFile(atPath: path) }
}
