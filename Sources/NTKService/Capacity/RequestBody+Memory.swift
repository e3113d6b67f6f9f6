internal import HTTP1
internal import HTTPTypes
internal import TensorFormats

/// What a body takes once it is read, beside itself: its numbers are float64 then.
extension RequestBody {
    /// A number of JSON text: eight bytes, and while it is read the places where it and its comma begin.
    private static let bytesPerComma = 16
    /// Archives: inflated, and as float64 from float32.
    private static let bytesInflated = 3

    /// Whether a small body becomes a large one when it is read: an archive, alone or as a part.
    static func swells(_ request: ServerRequest) -> Bool {
        guard let first = request.body.first, first == UInt8(ascii: "P") || first == UInt8(ascii: "-") else { return false }
        return decodedBytes(request) > NTKService.smallBody * bytesPerComma
    }

    /// Takes a look at all of the body: not on the event loop.
    static func decodedBytes(_ request: ServerRequest) -> Int {
        let contentType = request.head.headerFields[.contentType] ?? ""
        switch MediaRange.type(contentType) {
        case json: return text(request.body[...])
        case multipart:
            guard let parts = try? Multipart.read(request.body, contentType: contentType) else { return request.body.count }
            return parts.reduce(0) { $0.addingClamped($1.name == "request" || $1.mediaType == json ? text($1.content) : file($1.content)) }
        default: return file(request.body[...])
        }
    }

    private static func text(_ text: ArraySlice<UInt8>) -> Int {
        max((JSONValue.commas(text) + 1) * bytesPerComma, text.count)
    }

    private static func file(_ file: ArraySlice<UInt8>) -> Int {
        if Npz.isZip(file) { return Npz.inflatedBytes(file).multipliedClamped(by: bytesInflated) }
        guard Npy.isNpy(file) else { return file.count * 2 }
        return file.count * 8 / (Npy.numberBytes(file) ?? 8)
    }
}
