internal import LinearAlgebra

/// What is wrong with the bytes of a file or of a multipart body.
package struct FormatError: Error, Sendable, Equatable {
    /// The format, such as ".npy".
    package var format: String
    /// What was expected and what came.
    package var detail: String

    package init(_ format: String, _ detail: String) {
        self.format = format
        self.detail = detail
    }
}

/// The number types of array files.
enum NumberType: Sendable {
    case float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, uint16, uint32, uint64, bool

    var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// The numbers in `bytes`, whose count is a multiple of `size`, and whether some are NaN, or infinite.
    func numbers(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> (numbers: Storage<Double>, hasNaN: Bool, hasInfinity: Bool) {
        let numbers = Storage<Double>(count: bytes.count / size)
        let target = unsafe numbers.base
        var isFinite = true
        unsafe bytes.withUnsafeBytes { raw in
            func convert<Integer: FixedWidthInteger>(_: Integer.Type, _ number: (Integer) -> Double) {
                // Piece by piece, so that a piece is still in the cache when it is looked at.
                for start in stride(from: 0, to: numbers.count, by: Self.pieceCount) {
                    let end = min(start + Self.pieceCount, numbers.count)
                    for index in start..<end {
                        let value = unsafe raw.loadUnaligned(fromByteOffset: index * MemoryLayout<Integer>.size, as: Integer.self)
                        unsafe target[index] = number(isBigEndian ? Integer(bigEndian: value) : Integer(littleEndian: value))
                    }
                    isFinite = unsafe Self.areFinite(UnsafeBufferPointer(start: target + start, count: end - start)) && isFinite
                }
            }
            switch self {
            case .float64: convert(UInt64.self) { Double(bitPattern: $0) }
            case .float32: convert(UInt32.self) { Double(Float(bitPattern: $0)) }
            case .float16: convert(UInt16.self) { Self.half($0) }
            case .bfloat16: convert(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
            case .int64: convert(Int64.self) { Double($0) }
            case .int32: convert(Int32.self) { Double($0) }
            case .int16: convert(Int16.self) { Double($0) }
            case .int8: convert(Int8.self) { Double($0) }
            case .uint8, .bool: convert(UInt8.self) { Double($0) }
            case .uint16: convert(UInt16.self) { Double($0) }
            case .uint32: convert(UInt32.self) { Double($0) }
            case .uint64: convert(UInt64.self) { Double($0) }
            }
        }
        guard !isFinite else { return (numbers, false, false) }
        let all = unsafe UnsafeBufferPointer(start: target, count: numbers.count)
        return unsafe (numbers, all.contains { $0.isNaN }, all.contains { $0.isInfinite })
    }

    /// 64 kB of numbers.
    private static let pieceCount = 8_192

    private static func areFinite(_ numbers: UnsafeBufferPointer<Double>) -> Bool {
        // x − x is 0 for numbers, and NaN for what is none: the sum shows whether all are.
        var sums = SIMD8<Double>()
        let whole = numbers.count / 8 * 8
        let raw = UnsafeRawBufferPointer(numbers)
        for index in stride(from: 0, to: whole, by: 8) {
            let some = unsafe raw.loadUnaligned(fromByteOffset: index * 8, as: SIMD8<Double>.self)
            sums += some - some
        }
        return unsafe sums.sum() == 0 && numbers[whole...].allSatisfy { $0.isFinite }
    }

    /// IEEE 754 binary16.
    private static func half(_ bits: UInt16) -> Double {
        let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
        let magnitude: Double =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
            }
        return bits >> 15 == 1 ? -magnitude : magnitude
    }
}

extension NumericArray {
    /// An array from numbers of a file: a NaN is what null is in JSON, and an infinity is an error.
    static func checked(
        _ shape: [Int], _ content: (numbers: Storage<Double>, hasNaN: Bool, hasInfinity: Bool), _ format: String
    ) throws(FormatError) -> NumericArray {
        if content.hasInfinity { throw FormatError(format, "finite numbers expected; an infinity came") }
        return NumericArray(shape: shape, elements: NumericElements(content.numbers), hasNulls: content.hasNaN)
    }

    /// The number of elements of a shape; nil beyond the largest integer.
    static func count(_ shape: [Int]) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if extent < 0 || overflow { return nil }
            count = product
        }
        return count
    }
}
