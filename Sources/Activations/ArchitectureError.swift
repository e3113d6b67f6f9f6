/// An architecture that has no kernel, found before anything is computed.
public struct ArchitectureError: Error, Sendable, Equatable {
    /// Where in the tree: a JSON pointer relative to the architecture, such as "/layers/2"; empty for the root.
    public var path: String
    /// What stands there, and what would be right.
    public var detail: String
    /// What a `CompilationMeter` was told where the architecture may be sound, but takes too much; nil for one that is wrong.
    public var cause: (any Error)?

    public init(path: String, detail: String, cause: (any Error)? = nil) {
        self.path = path
        self.detail = detail
        self.cause = cause
    }

    public static func == (a: ArchitectureError, b: ArchitectureError) -> Bool {
        a.path == b.path && a.detail == b.detail && (a.cause == nil) == (b.cause == nil)
    }
}
