import HTTP1
import HTTPTypes

/// How far an answer is.
enum AnswerProgress: Equatable {
    case none
    /// No answer is being made: the body waits for memory.
    case awaitingRoom
    /// The request is with the responder, and no octet of its answer has left.
    case awaitingAnswer
    case begun
    /// Events are sent as they come.
    case followingEvents(isChunked: Bool)
}

extension HTTPConnection {
    /// What every answer begins with, whatever it will be (RFC 9112 §4).
    private static let statusLineStart = Array("HTTP/1.1 ".utf8)
    /// An event stream's comment, which its readers ignore.
    private static let comment = Array(":\n\n".utf8)

    /// Finds out whether a client that has ended its side is gone, or has said all that it had to say and waits for the answer.
    ///
    /// A closed socket and one that is closed for sending alone look the same until something is sent: the system of a client that has gone
    /// answers with a reset, on which the work ends. So the first octets of the answer, which are always the same, are sent before there is
    /// one; to a stream of events, a comment. An answer that is on its way is sent on and finds out by itself.
    func probePeer() {
        switch progress {
        case .awaitingRoom: task?.cancel()
        case .awaitingAnswer:
            guard sendWhatIsHeld() else { return close() }
            holdsAnswer = !out.isEmpty
            guard !holdsAnswer else { return }
            octetsSentAhead = probe(Self.statusLineStart) ?? 0
        case .followingEvents(let isChunked):
            // What waits for room is a probe already.
            guard writer == nil else { return }
            var octets: [UInt8] = []
            if isChunked { ChunkEncoder.appendSizeLine(Self.comment.count, to: &octets) }
            octets += Self.comment
            if isChunked { octets += ChunkEncoder.end }
            // Without room for it the client has not read for long.
            if let count = probe(octets), count < octets.count { close(byReset: true) }
        case .none, .begun: break
        }
    }

    /// Octets that were taken; nil if the connection is broken, and closed.
    private func probe(_ octets: [UInt8]) -> Int? {
        switch transport.send(octets, from: 0, more: false) {
        case .octets(let count):
            configuration.counters.countSent(count)
            return count
        case .wouldBlock: return 0
        case .failed:
            close()
            return nil
        }
    }
}

extension ServerResponse {
    /// Whether its content comes little by little, for as long as there is something to follow.
    var isEventStream: Bool { headerFields[.contentType] == "text/event-stream" }
}
