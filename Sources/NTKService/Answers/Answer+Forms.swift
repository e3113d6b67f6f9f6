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
    var numbers: Int { arrays.reduce(0) { $0 + $1.array.count } }

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
