package import LinearAlgebra

/// Where the elements of an array are read from, a part at a time, such as a file.
package protocol ArraySource: Sendable {
    /// The elements of a range as a matrix of one row.
    func read<Element: Scalar>(_ range: Range<Int>, as _: Element.Type) throws -> Matrix<Element>
}
