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

    /// The numbers in `bytes`, whose count is a multiple of `size`.
    func numbers(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> [Double] {
        let count = bytes.count / size
        return unsafe bytes.withUnsafeBytes { raw in
            func load<Integer: FixedWidthInteger>(_: Integer.Type, _ index: Int) -> Integer {
                let value = unsafe raw.loadUnaligned(fromByteOffset: index * MemoryLayout<Integer>.size, as: Integer.self)
                return isBigEndian ? Integer(bigEndian: value) : Integer(littleEndian: value)
            }
            return unsafe [Double](unsafeUninitializedCapacity: count) { target, initialized in
                for index in 0..<count {
                    unsafe target[index] =
                        switch self {
                        case .float64: Double(bitPattern: load(UInt64.self, index))
                        case .float32: Double(Float(bitPattern: load(UInt32.self, index)))
                        case .float16: Self.half(load(UInt16.self, index))
                        case .bfloat16: Double(Float(bitPattern: UInt32(load(UInt16.self, index)) << 16))
                        case .int64: Double(load(Int64.self, index))
                        case .int32: Double(load(Int32.self, index))
                        case .int16: Double(load(Int16.self, index))
                        case .int8: Double(load(Int8.self, index))
                        case .uint8, .bool: Double(load(UInt8.self, index))
                        case .uint16: Double(load(UInt16.self, index))
                        case .uint32: Double(load(UInt32.self, index))
                        case .uint64: Double(load(UInt64.self, index))
                        }
                }
                initialized = count
            }
        }
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
    static func checked(_ shape: [Int], _ numbers: [Double], _ format: String) throws(FormatError) -> NumericArray {
        var hasNulls = false
        for number in numbers {
            if number.isInfinite { throw FormatError(format, "finite numbers expected; an infinity came") }
            if number.isNaN { hasNulls = true }
        }
        return NumericArray(shape: shape, elements: numbers[...], hasNulls: hasNulls)
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
