/// Why the store could not do what was asked.
package enum ArtifactStoreError: Error, Sendable, Equatable {
    /// A system call failed.
    case system(call: String, path: String, code: Int32)
    /// What stands in the directory is not what this program writes.
    case damaged(path: String)
}
