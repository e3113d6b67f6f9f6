/// A dense matrix, row-major without gaps, in one allocation that copies share.
///
/// Who makes a matrix fills it through `base` before anyone else sees it; after that it is read only, except by algorithms whose
/// documentation says that they work in place.
public struct Matrix<Element: Scalar>: Sendable {
    public let rows: Int
    public let columns: Int
    public let storage: Storage<Element>

    /// A matrix whose elements are not yet set.
    public init(uninitializedRows rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        storage = Storage(count: rows * columns)
    }

    /// A matrix of zeros.
    public init(zeroRows rows: Int, columns: Int) {
        self.init(uninitializedRows: rows, columns: columns)
        unsafe storage.base.initialize(repeating: 0, count: rows * columns)
    }

    /// A matrix from its elements in row-major order; `elements.count` must be `rows * columns`.
    public init(rows: Int, columns: Int, _ elements: some Collection<Element>) {
        precondition(elements.count == rows * columns, "a \(rows)x\(columns) matrix takes \(rows * columns) elements")
        self.init(uninitializedRows: rows, columns: columns)
        let base = unsafe storage.base
        let copied: Void? = elements.withContiguousStorageIfAvailable { source in
            if let first = source.baseAddress { unsafe base.initialize(from: first, count: source.count) }
        }
        if copied == nil {
            for (k, element) in elements.enumerated() { unsafe base[k] = element }
        }
    }

    /// The elements of `storage`, in row-major order.
    public init(rows: Int, columns: Int, storage: Storage<Element>) {
        precondition(storage.count == rows * columns, "a \(rows)x\(columns) matrix takes \(rows * columns) elements")
        self.rows = rows
        self.columns = columns
        self.storage = storage
    }

    /// The same elements, in the same order and memory, as another number of rows.
    public func reshaped(rows: Int, columns: Int) -> Matrix {
        precondition(rows * columns == self.rows * self.columns, "a shape of as many elements")
        return Matrix(rows: rows, columns: columns, storage: storage)
    }

    /// Rows that follow one another, in the same memory.
    public func slice(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        let first = unsafe UnsafeMutableRawPointer(base + range.lowerBound * columns)
        return Matrix(
            rows: range.count, columns: columns, storage: unsafe Storage(count: range.count * columns, at: first, owner: storage))
    }

    /// Takes the elements of a matrix of the same shape.
    public func assignElements(_ other: Matrix) {
        precondition(rows == other.rows && columns == other.columns)
        unsafe base.update(from: other.base, count: rows * columns)
    }

    /// A matrix of its own with the same elements.
    public func copy() -> Matrix {
        let copy = Matrix(uninitializedRows: rows, columns: columns)
        unsafe copy.base.update(from: base, count: rows * columns)
        return copy
    }

    @unsafe
    public var base: UnsafeMutablePointer<Element> { unsafe storage.base }

    public subscript(row: Int, column: Int) -> Element {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns)
        return unsafe storage.base[row * columns + column]
    }

    /// Calls `body` with all elements in row-major order.
    public func withElements<Result, Failure: Error>(_ body: (Span<Element>) throws(Failure) -> Result) throws(Failure) -> Result {
        let span = unsafe Span(_unsafeStart: UnsafePointer(storage.base), count: rows * columns)
        defer { withExtendedLifetime(storage) {} }
        return try body(span)
    }

    /// The elements of one row.
    public func row(_ index: Int) -> [Element] {
        precondition(index >= 0 && index < rows)
        return unsafe Array(UnsafeBufferPointer(start: storage.base + index * columns, count: columns))
    }

    /// All elements in row-major order.
    public var elements: [Element] {
        unsafe Array(UnsafeBufferPointer(start: storage.base, count: rows * columns))
    }
}
