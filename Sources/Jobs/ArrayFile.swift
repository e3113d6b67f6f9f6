package import ArtifactStore
internal import Glibc
package import LinearAlgebra
package import TensorFormats

/// An array of a result as a `.npy` file that is mapped into memory: its blocks are written where they stay, and what was written survives the
/// process. Python reads it by `numpy.load(…, mmap_mode="r")`.
@safe
package final class ArrayFile: Sendable {
    package let shape: [Int]
    package let isFloat32: Bool
    private let descriptor: Int32
    private let path: String
    private let address: UInt
    private let size: Int
    private let start: Int

    /// Opens the array for its elements to be written, or makes it, all zeros, with its room on the disk taken.
    package static func open(_ path: String, shape: [Int], isFloat32: Bool) throws(ArtifactStoreError) -> ArrayFile {
        let header = Npy.header(shape: shape, isFloat32: isFloat32)
        let size = header.count + shape.reduce(1, *) * (isFloat32 ? 4 : 8)
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Files.failure("open", path) }
        // Else a full disk would be met by a signal, where a block is written.
        let code = posix_fallocate(descriptor, 0, size)
        guard code == 0, ftruncate(descriptor, size) == 0, unsafe pwrite(descriptor, header, header.count, 0) == header.count else {
            let code = code == 0 ? errno : code
            close(descriptor)
            throw .system(call: "fallocate", path: path, code: code)
        }
        return try ArrayFile(path, descriptor, shape, isFloat32, size: size, start: header.count)
    }

    private init(_ path: String, _ descriptor: Int32, _ shape: [Int], _ isFloat32: Bool, size: Int, start: Int) throws(ArtifactStoreError) {
        guard let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), unsafe memory != MAP_FAILED else {
            let failure = Files.failure("mmap", path)
            close(descriptor)
            throw failure
        }
        self.path = path
        self.descriptor = descriptor
        self.shape = shape
        self.isFloat32 = isFloat32
        self.size = size
        self.start = start
        address = UInt(bitPattern: memory)
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), size)
        close(descriptor)
    }

    /// Brings what was written to the disk, and leaves the memory to others until it is read or written again.
    package func synchronize() throws(ArtifactStoreError) {
        guard fdatasync(descriptor) == 0 else { throw Files.failure("fdatasync", path) }
        giveBack()
    }

    /// Leaves the memory to others. A mapping that is shared loses nothing: the pages are the file's.
    func giveBack() { _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: address), size, MADV_DONTNEED) }

    /// The checksum of some of the elements, as a matrix of as many rows as the first extent: of the rows of each tile, one after another.
    func checksum(_ tiles: [Tile]) -> UInt32 {
        let width = isFloat32 ? 4 : 8
        let columns = shape.dropFirst().reduce(1, *)
        var sum: UInt32 = 0
        for tile in tiles {
            for row in tile.rows {
                let first = start + (row * columns + tile.columns.lowerBound) * width
                withBytes(first..<first + tile.columns.count * width) { sum = FileSums.crc32($0, after: sum) }
            }
        }
        return sum
    }

    private func withBytes(_ range: Range<Int>, _ body: (RawSpan) -> Void) {
        // An address that was mapped is not null.
        let memory = unsafe UnsafeRawPointer(bitPattern: address + UInt(range.lowerBound)).unsafelyUnwrapped
        unsafe body(RawSpan(_unsafeStart: memory, byteCount: range.count))
    }

    /// The elements as a matrix of as many rows as the first extent; the array's own where the type is its own.
    package func matrix<Element: Scalar>(as _: Element.Type) -> Matrix<Element> {
        precondition(MemoryLayout<Element>.size == (isFloat32 ? 4 : 8), "elements of the file's type")
        let rows = shape[0]
        let columns = shape.dropFirst().reduce(1, *)
        // An address that was mapped is not null.
        let memory = unsafe UnsafeMutableRawPointer(bitPattern: address + UInt(start)).unsafelyUnwrapped
        return Matrix(rows: rows, columns: columns, storage: unsafe Storage(count: rows * columns, at: memory, owner: self))
    }

    /// The array as a part of an answer.
    package var output: OutputArray {
        isFloat32 ? OutputArray([matrix(as: Float.self)], shape: shape) : OutputArray([matrix(as: Double.self)], shape: shape)
    }
}
