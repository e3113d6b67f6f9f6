package import LinearAlgebra

/// The elements of an array in row-major order: a part of the numbers of a JSON text, or memory of their own that a matrix can share.
package struct NumericElements: RandomAccessCollection, Sendable, ExpressibleByArrayLiteral {
    private enum Source {
        case part(ArraySlice<Double>)
        case whole(Storage<Double>)
    }

    private let source: Source
    package let count: Int

    package init(_ part: ArraySlice<Double>) {
        source = .part(part)
        count = part.count
    }

    /// All numbers of `storage`, which is not written to any more.
    package init(_ storage: Storage<Double>) {
        source = .whole(storage)
        count = storage.count
    }

    package init(arrayLiteral elements: Double...) { self.init(elements[...]) }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> Double {
        precondition(position >= 0 && position < count)
        return switch source {
        case .part(let part): part[part.startIndex + position]
        case .whole(let storage): unsafe storage.base[position]
        }
    }

    package func withContiguousStorageIfAvailable<Result>(_ body: (UnsafeBufferPointer<Double>) throws -> Result) rethrows -> Result? {
        switch source {
        case .part(let part): return unsafe try part.withContiguousStorageIfAvailable(body)
        case .whole(let storage):
            defer { withExtendedLifetime(storage) {} }
            return unsafe try body(UnsafeBufferPointer(start: storage.base, count: count))
        }
    }

    /// A matrix of these elements to be read only: it shares their memory where they have one of their own.
    package func matrix(rows: Int, columns: Int) -> Matrix<Double> {
        switch source {
        case .part(let part): Matrix(rows: rows, columns: columns, part)
        case .whole(let storage): Matrix(rows: rows, columns: columns, storage: storage)
        }
    }
}

extension NumericElements: Equatable {
    package static func == (one: NumericElements, other: NumericElements) -> Bool { one.elementsEqual(other) }
}
