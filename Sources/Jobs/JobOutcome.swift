internal import TensorFormats

/// How a job has ended.
package struct JobOutcome: Sendable {
    package var state: JobState
    /// What the worker left: how to read the result, or what went wrong. JSON.
    package var content: [UInt8]

    package init(state: JobState, content: [UInt8]) {
        self.state = state
        self.content = content
    }

    /// Two lines, so that neither has to be parsed for the other.
    var file: [UInt8] { state.json + [0x0A] + content + [0x0A] }

    init?(file: [UInt8]) {
        guard let end = file.firstIndex(of: 0x0A), file.last == 0x0A, let state = JobState(json: Array(file[..<end])) else { return nil }
        self.state = state
        content = Array(file[(end + 1)...].dropLast())
    }
}
