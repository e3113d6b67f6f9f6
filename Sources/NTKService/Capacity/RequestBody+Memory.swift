internal import LinearAlgebra
internal import TensorFormats

/// What a body takes once it is read, beside itself.
extension RequestBody {
    /// A small body that becomes larger than this is not small.
    private static let smallOnceRead = 1 << 20

    /// Whether a small body becomes a large one when it is read: an archive, alone or as a part.
    static func swells(_ content: RequestContent, limit: Int) -> Bool {
        guard let first = content.bytes.first, first == UInt8(ascii: "P") || first == UInt8(ascii: "-") else { return false }
        let files: [ArraySlice<UInt8>] =
            MediaRange.type(content.type) == multipart
            ? ((try? Multipart.read(content.bytes, contentType: content.type)) ?? []).map(\.content) : [content.bytes[...]]
        let archives = files.filter { Npz.isZip($0) }
        return archives.reduce(0) { $0.addingClamped(Npz.inflatedBytes($1, limit: limit)) } > smallOnceRead / MemoryLayout<Double>.stride
    }

    /// Bytes that `value` with the same arguments takes. Takes a look at all of the body: not on the event loop.
    static func demand(_ content: RequestContent, limit: Int, _ guess: JSONDemand.Guess) -> Int {
        switch MediaRange.type(content.type) {
        case json: return JSONDemand(content.bytes[...], guess).bytes
        case multipart:
            guard let parts = try? Multipart.read(content.bytes, contentType: content.type) else { return content.bytes.count }
            return parts.reduce(0) {
                if isModelFile($1) { return $0.addingClamped(ModelFile.readingBytes($1.content.count)) }
                // A text is copied.
                let isText = $1.name == "request" || $1.mediaType == json
                return $0.addingClamped(isText ? JSONDemand($1.content, guess).bytes + $1.content.count : file($1.content, limit: limit, guess))
            }
        case onnx: return ModelFile.readingBytes(content.bytes.count)
        default: return file(content.bytes[...], limit: limit, guess)
        }
    }

    private static func file(_ file: ArraySlice<UInt8>, limit: Int, _ guess: JSONDemand.Guess) -> Int {
        if Npz.isZip(file) {
            let demand = Npz.demand(file, limit: limit)
            return demand.bytes.addingClamped(demand.text + JSONDemand(size: demand.text, guess).bytes)
        }
        if Npy.isNpy(file) { return Npy.demand(file, size: file.count).bytes }
        let demand = Safetensors.demand(file)
        // The reader of the format has its own limits.
        return demand.bytes.addingClamped(demand.text + JSONDemand(size: demand.text, .most).bytes)
    }
}
