internal import Glibc

/// Why the store could not do what was asked.
package enum ArtifactStoreError: Error, Sendable, Equatable {
    /// A system call failed.
    case system(call: String, path: String, code: Int32)
    /// What stands in the directory is not what this program wrote.
    case damaged(path: String)

    /// What happened, in words, without the place of the directory.
    package var explanation: String {
        switch self {
        case .system(let call, let path, let code): "\(call) of \(Self.name(path)): \(Self.text(code))"
        case .damaged(let path): "\(Self.name(path)) is damaged"
        }
    }

    /// The last parts of a path, which say what it is.
    package static func name(_ path: String) -> String { path.split(separator: "/").suffix(2).joined(separator: "/") }

    private static func text(_ code: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        let isKnown = unsafe strerror_r(code, &text, text.count) == 0
        return isKnown ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "error \(code)"
    }
}
