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
        text.beginObject()
        for (name, value) in members {
            text.key(name)
            switch value {
            case .json(let json): text.raw(json)
            case .array(let array): try array.write(to: &text)
            case .arrays(let arrays):
                text.beginObject()
                for (name, array) in arrays {
                    text.key(name)
                    try array.write(to: &text)
                }
                text.endObject()
            }
        }
        text.endObject()
        return text.bytes
    }

    private var jsonPieces: [ContentPiece] {
        if let object { return [ContentPiece(object)] }
        var pieces: [ContentPiece] = []
        // What stands between arrays is gathered into one piece.
        var text = JSONWriter()
        func add(_ arrayPieces: [ContentPiece]) {
            pieces.append(ContentPiece(text.bytes))
            pieces += arrayPieces
            text = JSONWriter(continuingArray: true)
        }
        text.beginObject()
        for (name, value) in members {
            text.key(name)
            switch value {
            case .json(let json): text.raw(json)
            case .array(let array): add(array.jsonPieces)
            case .arrays(let arrays):
                text.beginObject()
                for (name, array) in arrays {
                    text.key(name)
                    add(array.jsonPieces)
                }
                text.endObject()
            }
        }
        text.endObject()
        return pieces + [ContentPiece(text.bytes)]
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
