import TensorFormats

/// Any bytes are an array of as many finite numbers (or NaNs, for null) as its shape says, or an error; and the file is bound to have them all.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    guard let array = try? Npy.read(bytes[...]) else { return 0 }
    precondition(array.elements.count == array.shape.reduce(1, *), "\(array.elements.count) numbers for \(array.shape)")
    precondition(array.elements.count <= size && array.elements.allSatisfy { !$0.isInfinite })
    precondition(array.hasNulls == array.elements.contains { $0.isNaN })
    precondition(8 * array.elements.count <= Npy.demand(bytes[...], size: size).kept)
    for length in [0, 5, 11, size - 1] where length < size { precondition((try? Npy.read(bytes[..<length])) == nil, "cut at \(length)") }
    return 0
}
