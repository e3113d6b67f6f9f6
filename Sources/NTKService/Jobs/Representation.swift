internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import Locks
internal import TensorFormats

/// A stored result in one form, with what clients need to get it in parts and to keep it: a strong entity tag and ranges of bytes.
struct Representation {
    let pieces: [ContentPiece]
    let numbers: Int
    let isCopied: Bool
    let conditions: Preconditions
    var fields: HTTPFields

    /// - Parameter lastModified: when the result was made, in seconds since 1970.
    init(_ answer: Answer, _ format: AnswerFormat, tag: String, lastModified: Int?) {
        pieces = answer.pieces(as: format)
        numbers = answer.numbers
        isCopied = format != .json
        conditions = Preconditions(EntityTag(opaque: tag), lastModified: lastModified)
        fields = conditions.headerFields
        fields[.contentType] = format.mediaType
        fields[.vary] = "Accept"
        fields[.acceptRanges] = "bytes"
        fields[.cacheControl] = "private, no-cache"
    }

    func response(to head: HTTPRequest, lengths known: PieceLengths, on executor: ComputeExecutor) async throws -> ServerResponse {
        if try conditions.isNotModified(head) {
            var fields = fields
            fields[.contentType] = nil
            return ServerResponse(status: .notModified, headerFields: fields)
        }
        // Range is defined for GET alone (RFC 9110 §14.2).
        guard head.method == .get, conditions.allowsRange(head), let field = head.headerFields[.range] else {
            // From the disk: read by a worker, not on the event loop.
            return ServerResponse(
                headerFields: fields, body: try ResponseBody.pieces(pieces, numbers: numbers, isCopied: false, on: executor))
        }
        let lengths = try await known.lengths(of: pieces, tag: conditions.tag.value, on: executor)
        let length = lengths.reduce(0, +)
        var answer = ServerResponse(headerFields: fields)
        switch ByteRange(field, length: length) {
        case .whole:
            answer.body = try .pieces(pieces, numbers: numbers, isCopied: false, on: executor)
        case .unsatisfiable:
            var problem = ProblemDetails(
                status: .rangeNotSatisfiable, type: .rangeNotSatisfiable, title: "The range is not within the result",
                detail: "Range: bytes from 0 to \(length - 1) expected; \(field.prefix(80)) came")
            problem.headerFields = [.contentRange: "bytes */\(length)"]
            throw problem
        case .part(let range):
            answer.status = .partialContent
            answer.headerFields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
            answer.body = try .pieces(parts(range, lengths), numbers: numbers, isCopied: false, on: executor)
        }
        return answer
    }

    /// The pieces that a range of bytes is made of.
    private func parts(_ range: Range<Int>, _ lengths: [Int]) -> [ContentPiece] {
        var parts: [ContentPiece] = []
        var start = 0
        for (piece, length) in zip(pieces, lengths) {
            let overlap = range.clamped(to: start..<start + length)
            if !overlap.isEmpty {
                let (first, last) = (overlap.lowerBound - start, overlap.upperBound - start)
                parts.append(ContentPiece(length: overlap.count) { Array(try piece.make()[first..<last]) })
            }
            start += length
        }
        return parts
    }
}

/// The lengths of pieces that only making them tells, found once for each of the latest representations that were asked for in parts.
final class PieceLengths: Sendable {
    private static let most = 64
    private let known = Lock([(tag: String, lengths: [Int])]())

    func lengths(of pieces: [ContentPiece], tag: String, on executor: ComputeExecutor) async throws -> [Int] {
        if let found = known.withLock({ known in known.first { $0.tag == tag }?.lengths }) { return found }
        let lengths = try await executor.run { tiles in
            let found = Lock([Int](repeating: 0, count: pieces.count))
            try tiles.forEach(pieces.count) { index in
                let length = try pieces[index].length ?? pieces[index].make().count
                found.withLock { $0[index] = length }
            }
            return found.withLock { $0 }
        }
        known.withLock { known in
            known.append((tag, lengths))
            if known.count > Self.most { known.removeFirst() }
        }
        return lengths
    }
}
