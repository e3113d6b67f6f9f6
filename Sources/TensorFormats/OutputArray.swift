package import LinearAlgebra

/// An array of an answer: float64 or float32 in row-major order, written as JSON or as its bytes, any part of it at any time, so that a large
/// one is never held a second time.
package struct OutputArray: Sendable {
    private enum Blocks: Sendable {
        case float64([Matrix<Double>])
        case float32([Matrix<Float>])
        /// Read when it is written.
        case stored(any ArraySource, isFloat32: Bool)
    }

    /// Extents, outermost first; at least one.
    package let shape: [Int]
    /// Elements in all.
    package let count: Int
    /// Matrices of equal size, whose elements one after another are those of the array.
    private let blocks: Blocks
    /// Elements before those of the blocks.
    private let first: Int

    /// - Parameters:
    ///   - blocks: of equal size; together as many elements as `shape` has.
    package init(_ blocks: [Matrix<Double>], shape: [Int]) { self.init(.float64(blocks), shape, blocks.map { $0.rows * $0.columns }) }
    package init(_ blocks: [Matrix<Float>], shape: [Int]) { self.init(.float32(blocks), shape, blocks.map { $0.rows * $0.columns }) }

    /// An array that is read when it is written, a piece at a time.
    package init(_ source: any ArraySource, shape: [Int], isFloat32: Bool) {
        precondition(!shape.isEmpty, "an axis at least")
        self.init(.stored(source, isFloat32: isFloat32), shape: shape, first: 0)
    }

    private init(_ blocks: Blocks, shape: [Int], first: Int) {
        count = shape.reduce(1, *)
        self.shape = shape
        self.blocks = blocks
        self.first = first
    }

    private init(_ blocks: Blocks, _ shape: [Int], _ counts: [Int]) {
        count = shape.reduce(1, *)
        precondition(!shape.isEmpty && counts.reduce(0, +) == count && counts.allSatisfy { $0 == counts[0] }, "blocks that make up the array")
        self.shape = shape
        self.blocks = blocks
        first = 0
    }

    /// The same array with the elements of a range in memory, which alone may be written then.
    package func loaded(_ range: Range<Int>) throws -> OutputArray {
        guard case .stored(let source, let isFloat32) = blocks else { return self }
        return OutputArray(
            isFloat32 ? .float32([try source.read(range, as: Float.self)]) : .float64([try source.read(range, as: Double.self)]), shape: shape,
            first: range.lowerBound)
    }

    package var isFloat32: Bool {
        switch blocks {
        case .float64: false
        case .float32: true
        case .stored(_, let isFloat32): isFloat32
        }
    }
    /// Bytes of an element.
    package var elementSize: Int { isFloat32 ? 4 : 8 }

    /// Numbers that are written at once at the least: a row of the innermost axis. Of an array of one axis any piece can be.
    package var rowLength: Int { shape.count == 1 ? 1 : shape[shape.count - 1] }

    /// The JSON of a range of elements, brackets included, which begins and ends with a row; what is written for successive ranges makes up
    /// the array.
    package func json(_ range: Range<Int>) throws(NotFiniteError) -> [UInt8] {
        var json = JSONWriter(continuingArray: shape.count == 1 && range.lowerBound > 0)
        try write(range, to: &json)
        return json.bytes
    }

    /// The JSON of the whole array, as a value.
    package func write(to json: inout JSONWriter) throws(NotFiniteError) { try write(0..<count, to: &json) }

    private func write(_ range: Range<Int>, to json: inout JSONWriter) throws(NotFiniteError) {
        guard count > 0 else { return json.raw(Self.empty(shape[...])) }
        switch blocks {
        case .float64(let blocks): try write(range, blocks, to: &json)
        case .float32(let blocks): try write(range, blocks, to: &json)
        case .stored: preconditionFailure("what is stored is loaded before it is written")
        }
    }

    private func write<Element: Scalar & JSONFloat>(
        _ range: Range<Int>, _ blocks: [Matrix<Element>], to json: inout JSONWriter
    ) throws(NotFiniteError) {
        let (rank, length) = (shape.count, shape[shape.count - 1])
        json.reserve(numbers: range.count)
        if range.lowerBound == 0 { for _ in 0..<rank { json.beginArray() } }
        let middle = shape.dropFirst().dropLast()
        try forEachBlock(range, blocks) { elements, start throws(NotFiniteError) in
            if rank == 1 { return try json.values(elements) }
            for row in 0..<elements.count / length {
                var index = start / length + row
                if index > 0 {
                    // Ends as many levels as are full.
                    var levels = 1
                    for extent in middle.reversed() {
                        guard index % extent == 0 else { break }
                        index /= extent
                        levels += 1
                    }
                    for _ in 0..<levels { json.endArray() }
                    for _ in 0..<levels { json.beginArray() }
                }
                try json.values(elements.extracting(row * length..<(row + 1) * length))
            }
        }
        if range.upperBound == count { for _ in 0..<rank { json.endArray() } }
    }

    private static func empty(_ shape: ArraySlice<Int>) -> [UInt8] {
        let inner =
            shape.count > 1 && shape[shape.startIndex] > 0 ? [[UInt8]](repeating: empty(shape.dropFirst()), count: shape[shape.startIndex]) : []
        return Array("[".utf8) + inner.joined(separator: ",".utf8) + Array("]".utf8)
    }

    /// The little-endian bytes of a range of elements.
    package func bytes(_ range: Range<Int>) throws(NotFiniteError) -> [UInt8] {
        switch blocks {
        case .float64(let blocks): try bytes(range, blocks)
        case .float32(let blocks): try bytes(range, blocks)
        case .stored: preconditionFailure("what is stored is loaded before it is written")
        }
    }

    private func bytes<Element: Scalar & JSONFloat>(_ range: Range<Int>, _ blocks: [Matrix<Element>]) throws(NotFiniteError) -> [UInt8] {
        var failure: NotFiniteError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count * elementSize) { buffer, initialized in
            do throws(NotFiniteError) {
                try forEachBlock(range, blocks) { elements, start throws(NotFiniteError) in
                    try Self.checkFinite(elements, from: start)
                    unsafe elements.withUnsafeBytes { source in
                        unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...])
                            .copyMemory(from: source)
                        initialized += source.count
                    }
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private static func checkFinite<Element: Scalar & JSONFloat>(_ elements: Span<Element>, from start: Int) throws(NotFiniteError) {
        // x − x is 0 for numbers, and NaN for what is none: the sums show whether all are.
        // Four sums, so that additions do not wait for one another.
        var (first, second, third, fourth): (Element, Element, Element, Element) = (0, 0, 0, 0)
        let whole = elements.count / 4 * 4
        for index in stride(from: 0, to: whole, by: 4) {
            first += elements[index] - elements[index]
            second += elements[index + 1] - elements[index + 1]
            third += elements[index + 2] - elements[index + 2]
            fourth += elements[index + 3] - elements[index + 3]
        }
        for index in whole..<elements.count { first += elements[index] - elements[index] }
        let sum = first + second + third + fourth
        guard sum == 0 else {
            let index = elements.indices.first { !elements[$0].isFinite } ?? 0
            throw NotFiniteError(index: start + index)
        }
    }

    /// Calls `body` with the parts of a range that lie in each block, and the index of the first element of each.
    private func forEachBlock<Element: Scalar>(
        _ range: Range<Int>, _ blocks: [Matrix<Element>], _ body: (Span<Element>, Int) throws(NotFiniteError) -> Void
    ) throws(NotFiniteError) {
        guard !range.isEmpty else { return }
        let size = blocks[0].rows * blocks[0].columns
        for index in (range.lowerBound - first) / size...(range.upperBound - 1 - first) / size {
            let start = first + index * size
            let part = range.clamped(to: start..<start + size)
            try blocks[index].withElements { elements throws(NotFiniteError) in
                try body(elements.extracting(part.lowerBound - start..<part.upperBound - start), part.lowerBound)
            }
        }
    }
}
