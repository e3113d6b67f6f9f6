import ArgumentParser
import ArtifactStore
import FoundationEssentials

/// The directory of what is stored. While it cannot be written, the server is not ready.
struct DataDirectory: Sendable {
    let path: String
    /// Whether it goes with the process.
    private let isTemporary: Bool
    /// Of each kind of what is stored.
    private var parts: [String] { isTemporary ? ["jobs", "regressors"] : ["jobs", "networks", "regressors"] }

    private static let probe = [UInt8](repeating: 0x2E, count: 4_096)

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
        guard FileManager.default.isWritableFile(atPath: path) else { throw ValidationError("The data directory \(path) cannot be written.") }
    }

    func removeIfTemporary() {
        if isTemporary { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Why nothing can be stored now, by an attempt at it; nil if it can. A part that has vanished is made anew, and said to have vanished once.
    /// Not so the whole, which may be a disk that is away.
    func fault() -> String? {
        guard Files.isDirectory(path) else { return "the data directory is not there" }
        let missing = parts.filter { !Files.isDirectory("\(path)/\($0)") }
        do {
            for part in missing { try Files.makeDirectories("\(path)/\(part)") }
            // A part may be another disk's, or another user's.
            for part in parts { try Files.checkWritable("\(path)/\(part)") }
            let file = "\(path)/.probe-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
            defer { try? Files.remove(file) }
            // Blocks are needed for what is in it, so that a full disk is met.
            try FileWriter.write(to: file, isDurable: false) { try $0.write(Self.probe) }
        } catch let error as ArtifactStoreError {
            return "the data directory cannot be written: \(error.explanation)"
        } catch {
            return "the data directory cannot be written"
        }
        return missing.isEmpty ? nil : "of the data directory \(missing.joined(separator: ", ")) had vanished, and was made anew"
    }
}
