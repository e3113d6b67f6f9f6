import TensorFormats

/// Any bytes are an archive within the limit, or an error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    let limit = 1 << 20
    guard let archive = try? Npz.read(bytes[...], limit: limit) else { return 0 }
    precondition(archive.arrays.reduce(archive.meta?.count ?? 0) { $0 + $1.array.elements.count } <= limit)
    // Memory was asked for before it was read.
    precondition(archive.arrays.reduce(archive.meta?.count ?? 0) { $0 + 8 * $1.array.elements.count } <= Npz.demand(bytes[...], limit: limit).kept)
    for (_, array) in archive.arrays { precondition(array.elements.count == array.shape.reduce(1, *)) }
    precondition(Set(archive.arrays.map(\.name)).count == archive.arrays.count, "a name twice")
    return 0
}
