/// Element types of the Open Inference Protocol v2 that can be points; in binary they are little-endian.
enum InferDatatype: String, CaseIterable, Sendable {
    case int8 = "INT8"
    case int16 = "INT16"
    case int32 = "INT32"
    case int64 = "INT64"
    case uint8 = "UINT8"
    case uint16 = "UINT16"
    case uint32 = "UINT32"
    case uint64 = "UINT64"
    case float16 = "FP16"
    case bfloat16 = "BF16"
    case float32 = "FP32"
    case float64 = "FP64"

    /// Bytes of an element.
    var size: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }

    /// Elements as numbers; `bytes` holds whole ones.
    func decode(_ bytes: ArraySlice<UInt8>) -> [Double] {
        var numbers: [Double] = []
        numbers.reserveCapacity(bytes.count / size)
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: size) {
            var bits: UInt64 = 0
            for index in 0..<size { bits |= UInt64(bytes[start + index]) << UInt64(8 * index) }
            numbers.append(number(bits))
        }
        return numbers
    }

    private func number(_ bits: UInt64) -> Double {
        switch self {
        case .int8: Double(Int8(truncatingIfNeeded: bits))
        case .int16: Double(Int16(truncatingIfNeeded: bits))
        case .int32: Double(Int32(truncatingIfNeeded: bits))
        case .int64: Double(Int64(bitPattern: bits))
        case .uint8, .uint16, .uint32, .uint64: Double(bits)
        case .float16: Self.half(UInt16(truncatingIfNeeded: bits))
        case .bfloat16: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16))
        case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .float64: Double(bitPattern: bits)
        }
    }

    /// IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction.
    private static func half(_ bits: UInt16) -> Double {
        let fraction = Double(bits & 0x3FF) / 1_024
        let magnitude: Double =
            switch Int(bits >> 10 & 0x1F) {
            case 0: fraction * 0x1p-14
            case 31: fraction == 0 ? .infinity : .nan
            case let exponent: (1 + fraction) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
            }
        return bits >> 15 == 0 ? magnitude : -magnitude
    }
}
