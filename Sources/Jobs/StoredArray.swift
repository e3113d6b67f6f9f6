package import ArtifactStore
package import LinearAlgebra
package import TensorFormats

/// An array of a result that is read from its file, by parts, each of which is compared with its checksums.
package struct StoredArray: ArraySource {
    package let shape: [Int]
    package let isFloat32: Bool
    private let file: FileReader
    private let start: Int
    private let damaged: @Sendable (ArtifactStoreError) -> Void

    /// - Parameters:
    ///   - sums: nil for one that was made before there were any.
    ///   - damaged: called when it is found damaged.
    /// - Throws: `damaged` if there is no file of an array of this shape.
    init(
        _ path: String, shape: [Int], isFloat32: Bool, sums: FileSums?, damaged: @escaping @Sendable (ArtifactStoreError) -> Void
    ) throws(ArtifactStoreError) {
        let header = Npy.header(shape: shape, isFloat32: isFloat32)
        guard let file = try FileReader(path, sums: sums), file.count == header.count + shape.reduce(1, *) * (isFloat32 ? 4 : 8) else {
            throw .damaged(path: path)
        }
        self.shape = shape
        self.isFloat32 = isFloat32
        self.file = file
        self.damaged = damaged
        start = header.count
    }

    /// Elements in all.
    package var count: Int { shape.reduce(1, *) }
    /// Bytes of the file.
    package var bytes: Int { file.count }
    var stamp: FileStamp { file.stamp }

    package func read<Element: Scalar>(_ range: Range<Int>, as _: Element.Type) throws -> Matrix<Element> {
        let width = MemoryLayout<Element>.size
        precondition(width == (isFloat32 ? 4 : 8), "elements of the file's type")
        let matrix = Matrix<Element>(uninitializedRows: 1, columns: range.count)
        do {
            try unsafe file.read(start + range.lowerBound * width..<start + range.upperBound * width, into: UnsafeMutableRawPointer(matrix.base))
        } catch {
            damaged(error)
            throw error
        }
        return matrix
    }

    /// Reads all of it, to see whether it is what was written.
    package func check() throws(ArtifactStoreError) {
        do {
            try file.check()
        } catch {
            damaged(error)
            throw error
        }
    }

    /// The array as a part of an answer.
    package var output: OutputArray { OutputArray(self, shape: shape, isFloat32: isFloat32) }
}
