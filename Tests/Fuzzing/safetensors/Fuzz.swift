import TensorFormats

/// Any bytes are arrays that together have no more numbers than the file has bytes, or an error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    guard let file = try? Safetensors.read(bytes[...]) else { return 0 }
    var numbers = 0
    for (_, array) in file.arrays {
        precondition(array.elements.count == array.shape.reduce(1, *))
        numbers += array.elements.count
    }
    precondition(numbers <= size, "\(numbers) numbers of \(size) bytes")
    precondition(8 * numbers <= Safetensors.demand(bytes[...]).kept)
    return 0
}
