import ArgumentParser
import Foundation

/// The directory that outlives the process. While it cannot be written, the server is not ready.
struct DataDirectory: Sendable {
    private let path: String

    /// Nil for an empty path: nothing is kept.
    init?(path: String) throws {
        guard !path.isEmpty else { return nil }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ValidationError("Cannot make the data directory \(path): \(error.localizedDescription)")
        }
        self.path = path
        guard isWritable else { throw ValidationError("The data directory \(path) cannot be written.") }
    }

    var isWritable: Bool { FileManager.default.isWritableFile(atPath: path) }
}
