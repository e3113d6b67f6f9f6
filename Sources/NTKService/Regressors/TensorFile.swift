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

    /// The tensors of a file, each with a row for its first extent; nil if it is no such file.
    static func read(_ bytes: [UInt8]) -> [String: PointTensor]? {
        guard bytes.count >= 8 else { return nil }
        let length = (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
        guard length <= UInt64(bytes.count - 8), let header = try? JSONValue.parse(Array(bytes[8..<8 + Int(length)])),
            case .object(let object) = header
        else { return nil }
        let start = 8 + Int(length)
        var tensors: [String: PointTensor] = [:]
        for (name, value) in object.members {
            guard case .object(let entry) = value, case .string("F64") = entry["dtype"], let shape = integers(entry["shape"]),
                let offsets = integers(entry["data_offsets"]), offsets.count == 2, let rows = shape.first, rows > 0,
                let tensor = matrix(bytes, start, offsets, rows: rows, columns: shape.dropFirst().reduce(1, { $0.multipliedClamped(by: $1) }))
            else { return nil }
            tensors[name] = PointTensor(values: tensor, shape: Array(shape.dropFirst()))
        }
        return tensors
    }

    private static func integers(_ value: JSONValue?) -> [Int]? {
        guard case .tensor(let array) = value, array.shape.count == 1 else { return nil }
        let integers = array.elements.compactMap { Int(exactly: $0) }
        return integers.count == array.elements.count && integers.allSatisfy { $0 >= 0 } ? integers : nil
    }

    private static func matrix(_ bytes: [UInt8], _ start: Int, _ offsets: [Int], rows: Int, columns: Int) -> Matrix<Double>? {
        let size = rows.multipliedClamped(by: columns).multipliedClamped(by: 8)
        guard offsets[1] <= bytes.count - start, offsets[0] <= offsets[1], offsets[1] - offsets[0] == size else { return nil }
        let matrix = Matrix<Double>(uninitializedRows: rows, columns: columns)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: matrix.base, count: size)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start + offsets[0]..<start + offsets[1]]))
        }
        return matrix
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
