internal import ArtifactStore
internal import LinearAlgebra
internal import TensorFormats

/// Matrices of float64 as a safetensors file: the length of a JSON header, the header, and the numbers in little-endian order.
enum TensorFile {
    static func file(_ name: String, _ tensors: [(name: String, shape: [Int], values: Matrix<Double>)]) -> ArtifactFile {
        ArtifactFile(name) { writer in
            var json = JSONWriter()
            json.beginObject()
            var offset = 0
            for tensor in tensors {
                let bytes = tensor.values.rows * tensor.values.columns * 8
                json.key(tensor.name)
                json.beginObject()
                json.member("dtype", "F64")
                json.integers("shape", tensor.shape)
                json.integers("data_offsets", [offset, offset + bytes])
                json.endObject()
                offset += bytes
            }
            json.endObject()
            let padding = [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.bytes.count % 8) % 8)
            let length = UInt64(json.bytes.count + padding.count)
            try writer.write((0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + json.bytes + padding)
            for tensor in tensors { try tensor.values.withElements { elements in try unsafe writer.write(elements.bytes) } }
        }
    }

    /// What a header says of a tensor: its shape, and where its numbers stand in the file.
    struct Entry {
        var name: String
        var shape: [Int]
        var place: Range<Int>
    }

    /// Bytes of the header, and what stands before it; nil if it is no such file.
    static func headerBytes(_ file: FileReader) throws -> Int? {
        file.count < 8 ? nil : start(try file.read(0..<8)[...], count: file.count)
    }

    /// What a file holds, without a look at the numbers; nil if it is no such file.
    static func header(_ file: FileReader) throws -> [Entry]? {
        guard let start = try headerBytes(file) else { return nil }
        return entries(try file.read(8..<start), start: start, count: file.count)
    }

    /// The numbers of one tensor.
    static func read(_ entry: Entry, from file: FileReader) throws -> PointTensor { tensor(entry, try file.read(entry.place)[...]) }

    /// Where the numbers begin.
    private static func start(_ length: ArraySlice<UInt8>, count: Int) -> Int? {
        let length = length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return length <= UInt64(count - 8) ? 8 + Int(length) : nil
    }

    private static func entries(_ header: [UInt8], start: Int, count: Int) -> [Entry]? {
        guard case .object(let object)? = try? JSONValue.parse(header) else { return nil }
        var entries: [Entry] = []
        for (name, value) in object.members {
            guard case .object(let entry) = value, case .string("F64") = entry["dtype"], let shape = integers(entry["shape"]),
                let offsets = integers(entry["data_offsets"]), offsets.count == 2, let rows = shape.first, rows > 0,
                offsets[0] <= offsets[1], offsets[1] <= count - start,
                // None of them 0, so that no product of some of them is larger than that of all.
                shape.allSatisfy({ $0 > 0 }), offsets[1] - offsets[0] == shape.reduce(8, { $0.multipliedClamped(by: $1) })
            else { return nil }
            entries.append(Entry(name: name, shape: shape, place: start + offsets[0]..<start + offsets[1]))
        }
        return entries
    }

    private static func integers(_ value: JSONValue?) -> [Int]? {
        guard case .tensor(let array) = value, array.shape.count == 1 else { return nil }
        let integers = array.elements.compactMap { Int(exactly: $0) }
        return integers.count == array.elements.count && integers.allSatisfy { $0 >= 0 } ? integers : nil
    }

    private static func tensor(_ entry: Entry, _ bytes: ArraySlice<UInt8>) -> PointTensor {
        let matrix = Matrix<Double>(uninitializedRows: entry.shape[0], columns: entry.shape.dropFirst().reduce(1, *))
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: matrix.base, count: bytes.count).copyMemory(from: source)
        }
        return PointTensor(values: matrix, shape: Array(entry.shape.dropFirst()))
    }
}

extension JSONWriter {
    mutating func integers(_ name: String, _ values: [Int]) {
        key(name)
        beginArray()
        for value in values { self.value(value) }
        endArray()
    }
}
