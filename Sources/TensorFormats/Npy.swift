/// One array as a `.npy` file (NumPy enhancement proposal 1): versions 1 to 3, C or Fortran order, either byte order.
package enum Npy {
    private static let format = ".npy"
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    package static func isNpy(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: magic) }

    package static func read(_ bytes: ArraySlice<UInt8>) throws(FormatError) -> NumericArray {
        guard isNpy(bytes), bytes.count >= 12 else { throw FormatError(format, "a file that begins with \\x93NUMPY expected") }
        let start = bytes.startIndex
        let lengthBytes = bytes[start + 6] == 1 ? 2 : 4
        let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[start + 8 + $1]) << (8 * $1) }
        let header = start + 8 + lengthBytes
        guard bytes[start + 6] <= 3, length <= bytes.endIndex - header else { throw FormatError(format, "a header of version 1 to 3 expected") }
        let text = String(decoding: bytes[header..<header + length], as: UTF8.self)
        guard let descriptor = quoted("descr", text), let shape = shape(text), let count = NumericArray.count(shape) else {
            throw FormatError(format, "a header with descr, fortran_order and shape expected")
        }
        let isFortran = text.firstRange(of: "'fortran_order': True") != nil
        guard let order = descriptor.first, let type = type(descriptor.dropFirst()) else {
            throw FormatError(format, "numbers of type f8, f4, f2, i8, i4, i2, i1, u4, u2, u1 or b1 expected; \(descriptor.prefix(40)) came")
        }
        let content = bytes[(header + length)...]
        guard count.multipliedReportingOverflow(by: type.size) == (content.count, false) else {
            throw FormatError(format, "\(count) numbers of \(type.size) bytes expected for shape \(shape); \(content.count) bytes came")
        }
        let numbers = type.numbers(content, isBigEndian: order == ">")
        return try .checked(shape, isFortran && shape.count > 1 ? rowMajor(numbers, shape) : numbers, format)
    }

    private static func type(_ name: Substring) -> NumberType? {
        switch name {
        case "f8": .float64
        case "f4": .float32
        case "f2": .float16
        case "i8": .int64
        case "i4": .int32
        case "i2": .int16
        case "i1": .int8
        case "u4": .uint32
        case "u2": .uint16
        case "u1": .uint8
        case "b1": .bool
        default: nil
        }
    }

    /// The text between the quotes after a key.
    private static func quoted(_ key: String, _ text: String) -> Substring? {
        guard let place = text.firstRange(of: "'\(key)':") else { return nil }
        let rest = text[place.upperBound...].drop { $0 == " " }
        guard rest.first == "'" else { return nil }
        return rest.dropFirst().prefix { $0 != "'" }
    }

    private static func shape(_ text: String) -> [Int]? {
        guard let place = text.firstRange(of: "'shape':") else { return nil }
        let rest = text[place.upperBound...].drop { $0 == " " }
        guard rest.first == "(", let end = rest.firstIndex(of: ")") else { return nil }
        var shape: [Int] = []
        for part in rest[rest.index(after: rest.startIndex)..<end].split(separator: ",") {
            let digits = part.filter { $0 != " " && $0 != "L" }
            if digits.isEmpty { continue }
            guard let extent = Int(digits), extent >= 0 else { return nil }
            shape.append(extent)
        }
        return shape
    }

    /// From the order in which the first index runs fastest.
    private static func rowMajor(_ numbers: [Double], _ shape: [Int]) -> [Double] {
        var strides: [Int] = []
        var stride = 1
        for extent in shape {
            strides.append(stride)
            stride *= extent
        }
        var index = [Int](repeating: 0, count: shape.count)
        var place = 0
        return (0..<numbers.count).map { _ in
            let number = numbers[place]
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                place += strides[axis]
                if index[axis] < shape[axis] { break }
                place -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
            return number
        }
    }
}
