internal import ArtifactStore
internal import TensorFormats

/// How a job has ended.
package struct JobOutcome: Sendable {
    package var state: JobState
    /// What the worker left: how to read the result, or what went wrong. JSON.
    package var content: [UInt8]
    /// Where its arrays are; `JobPlace.name`.
    var place = ""
    /// Whether it and its arrays have checksums: those of the first version had none.
    private(set) var isChecked = true

    private static let largest = 256 << 20
    private static let tail = Array("{\"place\":\"".utf8)

    package init(state: JobState, content: [UInt8]) {
        self.state = state
        self.content = content
    }

    /// Three lines, so that none has to be parsed for another; the last, `{"place":…,"crc32":…}`, has the checksum of all that stands before it.
    var file: [UInt8] {
        CheckedRecord.sealed(state.json + [0x0A] + content + [0x0A] + Self.tail + Array("\(place)\"}".utf8)) + [0x0A]
    }

    /// Nil for what is damaged.
    init?(file: [UInt8]) {
        guard let end = file.firstIndex(of: 0x0A), file.last == 0x0A, let state = JobState(json: Array(file[..<end])), state.status.isFinal else {
            return nil
        }
        self.state = state
        let text = file.dropLast()
        let last = (text.lastIndex(of: 0x0A) ?? end) + 1
        if last > end + 1, text[last...].starts(with: Self.tail) {
            guard CheckedRecord.isWhole(Array(text)) == true else { return nil }
            place = String(decoding: text[(last + Self.tail.count)...].prefix { $0 != 0x22 }, as: UTF8.self)
            content = Array(text[(end + 1)..<(last - 1)])
        } else {
            isChecked = false
            content = Array(text[(end + 1)...])
            // Else its third line is damaged.
            guard (try? JSONValue.parse(content)) != nil else { return nil }
        }
    }

    /// Nil if it has not ended.
    /// - Throws: `damaged`.
    static func read(_ path: String) throws(ArtifactStoreError) -> JobOutcome? {
        guard let file = try Files.read(path, most: largest) else { return nil }
        guard let outcome = JobOutcome(file: file) else { throw .damaged(path: path) }
        return outcome
    }
}
