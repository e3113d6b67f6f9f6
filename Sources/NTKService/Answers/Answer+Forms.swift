internal import TensorFormats

extension Answer {
    /// The answer in one of its forms, as pieces.
    func pieces(as format: AnswerFormat) -> [ContentPiece] {
        switch format {
        case .json: jsonPieces
        case .npz: npzPieces
        case .npy: arrays.first?.array.npyPieces ?? []
        }
    }

    /// Numbers that are written.
    var numbers: Int {
        members.reduce(0) { sum, member in
            switch member.value {
            case .json: sum
            case .array(let array): sum + array.count
            case .arrays(let arrays): arrays.reduce(sum) { $0 + $1.array.count }
            }
        }
    }

    /// The whole answer as JSON.
    func json() throws -> [UInt8] {
        if let object { return object }
        var text = JSONWriter()
        // The text that is not numbers is short; what it has more of it grows by.
        text.reserve(numbers: numbers + 8)
        try write(to: &text) { array, text in try array.loaded(0..<array.count).write(to: &text) }
        return text.bytes
    }

    private var jsonPieces: [ContentPiece] {
        if let object { return [ContentPiece(object)] }
        var pieces: [ContentPiece] = []
        // What stands between arrays is gathered into one piece.
        var text = JSONWriter()
        write(to: &text) { array, text in
            pieces.append(ContentPiece(text.bytes))
            pieces += array.jsonPieces
            text = JSONWriter(continuingArray: true)
        }
        return pieces + [ContentPiece(text.bytes)]
    }

    /// Writes the members, each array as `write` does.
    private func write(to text: inout JSONWriter, _ write: (OutputArray, inout JSONWriter) throws -> Void) rethrows {
        text.beginObject()
        for (name, value) in members {
            text.key(name)
            switch value {
            case .json(let json): text.raw(json)
            case .array(let array): try write(array, &text)
            case .arrays(let arrays):
                text.beginObject()
                for (name, array) in arrays {
                    text.key(name)
                    try write(array, &text)
                }
                text.endObject()
            }
        }
        text.endObject()
    }

    /// A member for each array, and `meta.json` for what is none.
    private var npzPieces: [ContentPiece] {
        var npz = NpzWriter()
        var meta = JSONWriter()
        meta.beginObject()
        for case (let name, .json(let json)) in members {
            meta.key(name)
            meta.raw(json)
        }
        meta.endObject()
        npz.append("meta.json", object ?? meta.bytes)
        for (name, array) in arrays { npz.append(name, array) }
        npz.finish()
        return npz.pieces
    }
}
