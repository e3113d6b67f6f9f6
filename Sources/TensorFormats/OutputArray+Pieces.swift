extension OutputArray {
    /// Numbers in a piece of JSON: about 300 kB of text.
    private static let jsonNumbers = 16_384
    /// Bytes in a piece of a file: what a socket takes at once, and what stays in a cache.
    private static let fileBytes = 256 * 1024

    /// The whole array as JSON.
    package var jsonPieces: [ContentPiece] {
        guard count > 0 else { return [ContentPiece { try json(0..<0) }] }
        let step = max(1, Self.jsonNumbers / rowLength) * rowLength
        return stride(from: 0, to: count, by: step).map { start in
            ContentPiece { try loaded(start..<min(start + step, count)).json(start..<min(start + step, count)) }
        }
    }

    /// The whole array as a `.npy` file: its header and its elements.
    package var npyPieces: [ContentPiece] { [ContentPiece(Npy.header(self))] + filePieces }

    /// The bytes of the elements.
    private var filePieces: [ContentPiece] {
        let step = Self.fileBytes / elementSize
        return stride(from: 0, to: count, by: step).map { start in
            let end = min(start + step, count)
            return ContentPiece(length: (end - start) * elementSize) { try loaded(start..<end).bytes(start..<end) }
        }
    }
}
