package import ArtifactStore

/// The name of a job: `job_` and 32 lowercase hexadecimal digits; what passes can stand in a path.
package struct JobID: Hashable, Sendable, CustomStringConvertible {
    package static let prefix = "job_"

    package let description: String

    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let digits = text.utf8.dropFirst(Self.prefix.utf8.count)
        guard digits.count == 32, digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        description = text
    }

    /// The same for the same hash: two equal requests get one job.
    package init(_ hash: ArtifactID) { description = Self.prefix + hash.description.prefix(32) }

    /// A new one.
    package static func random() -> JobID {
        var hash = ContentHash()
        for _ in 0..<4 { hash.update(String(UInt64.random(in: 0 ... .max))) }
        return JobID(hash.finish())
    }
}
