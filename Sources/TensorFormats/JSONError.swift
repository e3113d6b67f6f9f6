/// A fault of a JSON text, or of a value in it, with its place.
package struct JSONError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Not in the grammar of RFC 8259.
        case syntax
        /// A number out of the grammar (NaN, +1, 01), or beyond the range of float64.
        case number
        /// Not UTF-8, or a lone surrogate.
        case encoding
        /// Nested deeper than allowed.
        case depth
        /// More values than allowed.
        case size
        /// A key that stands twice in one object.
        case duplicateKey
        /// Well-formed, but not the array that was expected.
        case shape
        /// The machine has no memory for it.
        case memory
    }

    package var kind: Kind
    /// RFC 6901, empty for the whole text.
    package var pointer: String
    /// What was expected and what came.
    package var detail: String

    package init(_ kind: Kind, at pointer: String, _ detail: String) {
        self.kind = kind
        self.pointer = pointer
        self.detail = detail
    }
}
