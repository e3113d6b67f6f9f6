/// A place in the list of jobs.
package struct JobCursor: Sendable, Comparable, CustomStringConvertible {
    package var createdAt: Int
    package var id: JobID

    init(createdAt: Int, id: JobID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Of one whose record is damaged that is the end.
    init(_ id: JobID, _ manifest: JobManifest?) { self.init(createdAt: manifest?.createdAt ?? JobManifest.unknown.createdAt, id: id) }

    /// Nil if `text` is no such place.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let createdAt = Int(parts[0]),
            let id = JobID(String(parts[1]))
        else { return nil }
        self.init(createdAt: createdAt, id: id)
    }

    package var description: String { "\(createdAt)-\(id)" }

    /// The newest first.
    package static func < (left: JobCursor, right: JobCursor) -> Bool {
        left.createdAt == right.createdAt ? left.id.description > right.id.description : left.createdAt > right.createdAt
    }
}
