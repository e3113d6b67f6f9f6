internal import ComputeExecutor
internal import HTTP1
internal import TensorFormats

/// Makes pieces ahead of the one that is being sent, and hands them out in order.
private actor PieceStream {
    private let pieces: [ContentPiece]
    private let ahead: Int
    private let executor: ComputeExecutor
    private var tasks: [Task<[UInt8], any Error>] = []
    private var begun = 0

    init(pieces: [ContentPiece], ahead: Int, executor: ComputeExecutor) {
        self.pieces = pieces
        self.ahead = ahead
        self.executor = executor
    }

    deinit {
        for task in tasks { task.cancel() }
    }

    func next() async throws -> [UInt8]? {
        while begun < pieces.count, tasks.count <= ahead {
            let piece = pieces[begun]
            tasks.append(Task { [executor] in try await executor.run { _ in try piece.make() } })
            begun += 1
        }
        guard !tasks.isEmpty else { return nil }
        return try await tasks.removeFirst().value
    }
}

/// Makes each piece when it is asked for, where it is.
private final class PieceSequence: Sendable {
    private let pieces: [ContentPiece]
    private let index = NextIndex()

    init(pieces: [ContentPiece]) { self.pieces = pieces }

    func next() throws -> [UInt8]? {
        let index = index.next()
        return index < pieces.count ? try pieces[index].make() : nil
    }
}

extension ResponseBody {
    /// Answers below this many numbers are made whole.
    private static let wholeNumbers = 8_192

    static func isWhole(_ numbers: Int) -> Bool { numbers <= wholeNumbers }

    /// The content that `pieces` make up.
    /// - Parameters:
    ///   - numbers: how many are written, which tells whether it is worth a stream.
    ///   - isCopied: the pieces are copies of memory, which are made faster than handed over to a worker and back.
    static func pieces(_ pieces: [ContentPiece], numbers: Int, isCopied: Bool, on executor: ComputeExecutor) throws -> ResponseBody {
        if isWhole(numbers) {
            var bytes: [UInt8] = []
            for piece in pieces { bytes += try piece.make() }
            return .bytes(bytes)
        }
        let length = pieces.reduce(Int?.some(0)) { sum, piece in piece.length.flatMap { length in sum.map { $0 + length } } }
        if isCopied {
            let sequence = PieceSequence(pieces: pieces)
            return .pieces(length: length) { try sequence.next() }
        }
        let stream = PieceStream(pieces: pieces, ahead: executor.width, executor: executor)
        return .stream(length: length) { try await stream.next() }
    }
}
