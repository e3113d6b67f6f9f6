/// An architecture that has no kernel, found before anything is computed.
public struct ArchitectureError: Error, Sendable, Equatable {
    /// Where in the tree: a JSON pointer relative to the architecture, such as "/layers/2"; empty for the root.
    public var path: String
    /// What stands there, and what would be right.
    public var detail: String

    public init(path: String, detail: String) {
        self.path = path
        self.detail = detail
    }
}
