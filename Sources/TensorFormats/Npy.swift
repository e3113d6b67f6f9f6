internal import LinearAlgebra

/// One array as a `.npy` file (NumPy enhancement proposal 1): versions 1 to 3, C or Fortran order, either byte order.
package enum Npy {
    private static let format = ".npy"
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    package static func isNpy(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: magic) }

    package static func read(_ bytes: ArraySlice<UInt8>) throws(FormatError) -> NumericArray {
        let (header, count, type, isBigEndian, content) = try open(bytes)
        let shape = header.shape
        guard count.multipliedReportingOverflow(by: type.size) == (content.count, false) else {
            throw FormatError(format, "\(count) numbers of \(type.size) bytes expected for shape \(shape); \(content.count) bytes came")
        }
        var read = type.numbers(content, isBigEndian: isBigEndian)
        if header.isFortran && shape.count > 1 { read.numbers = rowMajor(read.numbers, shape) }
        return try .checked(shape, read, format)
    }

    /// What it takes to read a file of `size` bytes of which `head` is the beginning. Without a whole header the numbers may be of one byte, in
    /// Fortran order.
    package static func demand(_ head: ArraySlice<UInt8>, size: Int) -> ReadingDemand {
        let opened = try? open(head)
        let numbers = size / (opened?.type.size ?? 1) * MemoryLayout<Double>.stride
        let isTurned = opened.map { $0.header.isFortran && $0.header.shape.count > 1 } ?? true
        return ReadingDemand(kept: numbers, passing: isTurned ? numbers : 0)
    }

    /// What a header says, and the bytes behind it, which may be more or fewer than it says.
    private static func open(
        _ bytes: ArraySlice<UInt8>
    ) throws(FormatError) -> (header: NpyHeader, count: Int, type: NumberType, isBigEndian: Bool, content: ArraySlice<UInt8>) {
        guard isNpy(bytes), bytes.count >= 12 else {
            let came = isNpy(bytes) ? "\(bytes.count) bytes of one" : FileKind.name(bytes) ?? "\(bytes.count) other bytes"
            throw FormatError(format, "a file that begins with \\x93NUMPY expected; \(came) came")
        }
        let start = bytes.startIndex
        let version = bytes[start + 6]
        let lengthBytes = version == 1 ? 2 : 4
        let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[start + 8 + $1]) << (8 * $1) }
        let place = start + 8 + lengthBytes
        guard (1...3).contains(version), length <= bytes.endIndex - place, length <= NpyHeader.maximumOctets else {
            throw FormatError(format, "a whole header of version 1 to 3, of at most \(NpyHeader.maximumOctets) bytes, expected")
        }
        guard let header = NpyHeader(bytes[place..<place + length]), let count = NumericArray.count(header.shape) else {
            throw FormatError(format, "a header of descr, fortran_order and shape, with descr a plain type, expected")
        }
        // Without a letter for it the order is the machine's, as NumPy reads it.
        let hasOrder = header.descriptor.utf8.first.map { "<>|=".utf8.contains($0) } ?? false
        guard let type = type(hasOrder ? header.descriptor.dropFirst() : header.descriptor[...]) else {
            throw FormatError(
                format, "numbers of type f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1 or b1 expected; \(header.descriptor.prefix(40)) came")
        }
        return (header, count, type, header.descriptor.utf8.first == UInt8(ascii: ">"), bytes[(place + length)...])
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
        case "u8": .uint64
        case "u4": .uint32
        case "u2": .uint16
        case "u1": .uint8
        case "b1": .bool
        default: nil
        }
    }

    /// From the order in which the first index runs fastest.
    private static func rowMajor(_ numbers: Storage<Double>, _ shape: [Int]) -> Storage<Double> {
        let rank = shape.count
        var strides: [Int] = []
        var stride = 1
        for extent in shape {
            strides.append(stride)
            stride *= extent
        }
        var index = [Int](repeating: 0, count: rank)
        var place = 0
        let result = Storage<Double>(count: numbers.count)
        let (source, target) = unsafe (numbers.base, result.base)
        for position in 0..<numbers.count {
            unsafe target[position] = source[place]
            var axis = rank - 1
            while axis >= 0 {
                index[axis] += 1
                place += strides[axis]
                if index[axis] < shape[axis] { break }
                place -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        return result
    }
}
