package import LinearAlgebra

/// The elements of an array in row-major order: all numbers of a memory, or a part of those of a JSON text. A matrix can share them.
package struct NumericElements: RandomAccessCollection, Sendable, ExpressibleByArrayLiteral {
    private let storage: Storage<Double>
    private let start: Int
    package let count: Int

    /// All numbers of `storage`, which is not written to any more.
    package init(_ storage: Storage<Double>) { self.init(storage, 0..<storage.count) }

    /// A part of the numbers of `storage`, which is not written to any more.
    package init(_ storage: Storage<Double>, _ part: Range<Int>) {
        precondition(part.lowerBound >= 0 && part.upperBound <= storage.count)
        self.storage = storage
        start = part.lowerBound
        count = part.count
    }

    /// A copy of the numbers.
    package init(_ numbers: some Collection<Double>) { self.init(Matrix(rows: 1, columns: numbers.count, numbers).storage) }

    package init(arrayLiteral elements: Double...) { self.init(elements) }

    /// Whether there are no others in their memory.
    package var isWhole: Bool { count == storage.count }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> Double {
        precondition(position >= 0 && position < count)
        return unsafe storage.base[start + position]
    }

    package func withContiguousStorageIfAvailable<Result>(_ body: (UnsafeBufferPointer<Double>) throws -> Result) rethrows -> Result? {
        defer { withExtendedLifetime(storage) {} }
        return unsafe try body(UnsafeBufferPointer(start: storage.base + start, count: count))
    }

    /// A matrix of these elements to be read only, in the same memory.
    package func matrix(rows: Int, columns: Int) -> Matrix<Double> {
        let part = unsafe isWhole ? storage : Storage(count: count, at: UnsafeMutableRawPointer(storage.base + start), owner: storage)
        return Matrix(rows: rows, columns: columns, storage: part)
    }
}

extension NumericElements: Equatable {
    package static func == (one: NumericElements, other: NumericElements) -> Bool { one.elementsEqual(other) }
}
