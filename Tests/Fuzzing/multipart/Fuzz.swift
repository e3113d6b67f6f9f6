import TensorFormats

/// The first line is the Content-Type, the rest the body: its parts are slices of it that stand one behind another, or there is an error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    let end = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
    let body = Array(bytes[end...].dropFirst())
    guard let parts = try? Multipart.read(body, contentType: String(decoding: bytes[..<end], as: UTF8.self)) else { return 0 }
    var place = 0
    for part in parts {
        precondition(part.content.startIndex >= place && part.content.endIndex <= body.count)
        precondition(part.content.elementsEqual(body[part.content.indices]))
        place = part.content.endIndex
    }
    return 0
}
