/// A tensor of a file. Its numbers stay in the file's bytes until they are asked for.
public struct ONNXTensor: Sendable {
    enum Content: Sendable {
        /// In the bytes of the file, little endian.
        case raw([UInt8], Range<Int>)
        case floats([Float])
        case doubles([Double])
        /// Integers, booleans and the bits of numbers of 16 bits.
        case integers([Int])
    }

    public var name: String
    public let type: ONNXElementType
    public let shape: [Int]
    /// Elements, as many as the shape says and as there are.
    public let count: Int
    let content: Content

    init(name: String, type: ONNXElementType, shape: [Int], count: Int, content: Content) {
        self.name = name
        self.type = type
        self.shape = shape
        self.count = count
        self.content = content
    }

    /// A tensor of numbers of 64 bits; as many as the shape says.
    public init(name: String, shape: [Int], doubles: [Double]) {
        precondition(shape.reduce(1, *) == doubles.count)
        self.init(name: name, type: .float64, shape: shape, count: doubles.count, content: .doubles(doubles))
    }

    /// A tensor of integers of 64 bits, or of booleans; as many as the shape says.
    public init(name: String, shape: [Int], integers: [Int], type: ONNXElementType = .int64) {
        precondition(shape.reduce(1, *) == integers.count)
        self.init(name: name, type: type, shape: shape, count: integers.count, content: .integers(integers))
    }

    /// Where the numbers of a float32 tensor stand in the bytes of the file, in the machine's order; nil where they are of another kind or elsewhere.
    public var floatsInFile: (bytes: [UInt8], start: Int)? {
        guard type == .float32, 1.littleEndian == 1, case .raw(let bytes, let range) = content, range.count >= 4 * count else { return nil }
        return (bytes, range.lowerBound)
    }

    /// Calls `body` with each element of a real tensor in row-major order; integers and booleans come as numbers.
    public func forEachReal(_ body: (Int, Double) -> Void) {
        switch content {
        case .floats(let values): for (index, value) in values.enumerated() { body(index, Double(value)) }
        case .doubles(let values): for (index, value) in values.enumerated() { body(index, value) }
        case .integers(let values): for (index, value) in values.enumerated() { body(index, real(bits: value)) }
        case .raw(let bytes, let range):
            switch type {
            case .float32: read(bytes, range, UInt32.self) { body($0, Double(Float(bitPattern: $1))) }
            case .float64: read(bytes, range, UInt64.self) { body($0, Double(bitPattern: $1)) }
            case .float16, .bfloat16: read(bytes, range, UInt16.self) { body($0, real(bits: Int($1))) }
            default: forEachInteger { body($0, Double($1)) }
            }
        }
    }

    /// Calls `body` with each element of a tensor of integers or booleans in row-major order.
    public func forEachInteger(_ body: (Int, Int64) -> Void) {
        switch content {
        case .floats(let values): for (index, value) in values.enumerated() { body(index, Int64(exactly: value.rounded(.towardZero)) ?? 0) }
        case .doubles(let values): for (index, value) in values.enumerated() { body(index, Int64(exactly: value.rounded(.towardZero)) ?? 0) }
        case .integers(let values): for (index, value) in values.enumerated() { body(index, Int64(value)) }
        case .raw(let bytes, let range):
            switch type {
            case .int8: read(bytes, range, Int8.self) { body($0, Int64($1)) }
            case .uint8: read(bytes, range, UInt8.self) { body($0, Int64($1)) }
            case .bool: read(bytes, range, UInt8.self) { body($0, $1 == 0 ? 0 : 1) }
            case .int16: read(bytes, range, Int16.self) { body($0, Int64($1)) }
            case .uint16: read(bytes, range, UInt16.self) { body($0, Int64($1)) }
            case .int32: read(bytes, range, Int32.self) { body($0, Int64($1)) }
            case .uint32: read(bytes, range, UInt32.self) { body($0, Int64($1)) }
            case .int64, .uint64: read(bytes, range, Int64.self) { body($0, $1) }
            default: forEachReal { body($0, Int64(exactly: $1.rounded(.towardZero)) ?? 0) }
            }
        }
    }

    /// Numbers of 16 bits are kept as integers where the file has them as such.
    private func real(bits: Int) -> Double {
        switch type {
        case .float16: Self.half(UInt16(truncatingIfNeeded: bits))
        case .bfloat16: Double(Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: bits)) << 16))
        default: Double(bits)
        }
    }

    /// The number that 16 bits stand for: 1 sign, 5 exponent, 10 significand.
    private static func half(_ bits: UInt16) -> Double {
        let sign: Double = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 31)
        let significand = Double(bits & 1023)
        return switch exponent {
        case 0: sign * significand * 0x1p-24
        case 31: significand == 0 ? sign * .infinity : .nan
        default: sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + significand / 1024)
        }
    }

    private func read<Integer: FixedWidthInteger>(
        _ bytes: [UInt8], _ range: Range<Int>, _: Integer.Type, _ body: (Int, Integer) -> Void
    ) {
        let size = MemoryLayout<Integer>.size
        unsafe bytes.withUnsafeBytes { raw in
            for index in 0..<count {
                body(index, unsafe Integer(littleEndian: raw.loadUnaligned(fromByteOffset: range.lowerBound + index * size, as: Integer.self)))
            }
        }
    }
}
