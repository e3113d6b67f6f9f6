import LinearAlgebra
import Testing

@testable import TensorFormats

struct OutputArrayTests {
    private static func numbers(_ count: Int) -> [Double] { (0..<count).map { Double($0) / 8 - 3 } }

    /// The nest that an array's JSON must be.
    private static func nest(_ numbers: ArraySlice<Double>, _ shape: ArraySlice<Int>) -> String {
        guard let extent = shape.first else {
            var json = JSONWriter()
            try? json.value(numbers[numbers.startIndex])
            return String(decoding: json.bytes, as: UTF8.self)
        }
        let size = numbers.count / max(extent, 1)
        let parts = (0..<extent).map {
            nest(numbers[numbers.startIndex + $0 * size..<numbers.startIndex + ($0 + 1) * size], shape.dropFirst())
        }
        return "[" + parts.joined(separator: ",") + "]"
    }

    static let shapes = [[1], [7], [2, 3], [1, 1], [4, 1], [1, 5], [2, 3, 2], [3, 1, 2, 2], [2, 2, 2, 2, 3], [0], [2, 0], [0, 3]]

    @Test(arguments: shapes)
    func jsonInAnyPieces(shape: [Int]) throws {
        let count = shape.reduce(1, *)
        let numbers = Self.numbers(count)
        let array = OutputArray([Matrix(rows: count, columns: 1, numbers)], shape: shape)
        let expected = Self.nest(numbers[...], shape[...])
        for rows in 1...max(1, count / max(array.rowLength, 1)) {
            let step = rows * array.rowLength
            let pieces = count == 0 ? [0..<0] : stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
            #expect(try String(decoding: pieces.flatMap { try array.json($0) }, as: UTF8.self) == expected)
        }
        #expect(try String(decoding: array.jsonPieces.flatMap { try $0.make() }, as: UTF8.self) == expected)
    }

    @Test(arguments: shapes)
    func npyReadsBack(shape: [Int]) throws {
        let numbers = Self.numbers(shape.reduce(1, *))
        for array in [
            OutputArray([Matrix(rows: numbers.count, columns: 1, numbers)], shape: shape),
            OutputArray([Matrix(rows: numbers.count, columns: 1, numbers.map { Float($0) })], shape: shape),
        ] {
            let pieces = array.npyPieces
            let file = try pieces.flatMap { try $0.make() }
            #expect(file.count == pieces.reduce(0) { $0 + ($1.length ?? 0) } && (file.count - numbers.count * array.elementSize) % 64 == 0)
            let read = try Npy.read(file[...])
            #expect(read.shape == shape && Array(read.elements) == numbers)
            #expect(String(decoding: file, as: UTF8.self).contains(array.isFloat32 ? "'<f4'" : "'<f8'"))
        }
    }

    /// Several blocks are one array, wherever it is cut.
    @Test func blocksAreOneArray() throws {
        let numbers = Self.numbers(24)
        let whole = OutputArray([Matrix(rows: 24, columns: 1, numbers)], shape: [4, 3, 2])
        let blocks = OutputArray((0..<4).map { Matrix(rows: 3, columns: 2, numbers[$0 * 6..<$0 * 6 + 6]) }, shape: [4, 3, 2])
        for start in 0...24 {
            for end in start...24 { #expect(try blocks.bytes(start..<end) == whole.bytes(start..<end)) }
        }
        for start in stride(from: 0, through: 24, by: 2) {
            for end in stride(from: start, through: 24, by: 2) { #expect(try blocks.json(start..<end) == whole.json(start..<end)) }
        }
    }

    @Test(arguments: [0, 1, 7, 8, 13, 19], [Double.nan, .infinity, -.infinity])
    func whatIsNoNumberIsNotWritten(index: Int, value: Double) throws {
        var numbers = Self.numbers(20)
        numbers[index] = value
        let array = OutputArray([Matrix(rows: 20, columns: 1, numbers)], shape: [20])
        #expect(throws: NotFiniteError(index: index)) { try array.bytes(0..<20) }
        #expect(throws: NotFiniteError.self) { try array.json(0..<20) }
    }

    /// - Parameter largest: where the fields of large archives begin; with 64 every member is one.
    @Test(arguments: [0xFFFF_FFFF, 64, 500])
    func npzReadsBack(largest: Int) throws {
        let numbers = Self.numbers(100_000)
        var npz = NpzWriter(largest: largest)
        npz.append("meta.json", Array(#"{"a":1}"#.utf8))
        npz.append("x", OutputArray([Matrix(rows: 2, columns: 50_000, numbers)], shape: [2, 50_000]))
        npz.append("layerwise.0.weight", OutputArray([Matrix(rows: 3, columns: 1, [1, 2, 3] as [Float])], shape: [3]))
        npz.finish()
        // The directory first: its checksums must not depend on what was made before.
        let last = try npz.pieces[npz.pieces.count - 1].make()
        let pieces = try npz.pieces.map { try $0.make() }
        #expect(last == pieces.last)
        for (piece, bytes) in zip(npz.pieces, pieces) { #expect(piece.length == bytes.count) }
        let file = Array(pieces.joined())
        let (arrays, meta) = try Npz.read(file[...], limit: 1 << 30)
        #expect(meta == Array(#"{"a":1}"#.utf8) && arrays.map(\.name) == ["x", "layerwise.0.weight"])
        #expect(arrays[0].array.shape == [2, 50_000] && Array(arrays[0].array.elements) == numbers)
        #expect(Array(arrays[1].array.elements) == [1, 2, 3])
    }
}
