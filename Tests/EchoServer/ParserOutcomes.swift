import Foundation
import HTTP1
import HTTPTypes

/// `http1-echo --parse`: for every message on standard input (its size as four octets, the lowest first, and its octets) a line of JSON that says
/// what the parser made of it. `Tests/Differential` compares with another parser.
enum ParserOutcomes {
    private struct Outcome: Encodable {
        struct Request: Encodable {
            var method: String
            var path: String
            var version: String
            var authority: String?
            /// Names and values, in Base64.
            var fields: [[Data]]
            var body: Data
            var keepsAlive: Bool
        }

        var requests: [Request] = []
        var status: Int?
        var rule: String?
    }

    static func run() throws {
        let encoder = JSONEncoder()
        while let size = read(4), let message = read(size.reversed().reduce(0) { $0 << 8 | Int($1) }) {
            FileHandle.standardOutput.write(try encoder.encode(outcome(message)) + [0x0A])
        }
    }

    private static func read(_ count: Int) -> [UInt8]? {
        if count == 0 { return [] }
        guard let data = try? FileHandle.standardInput.read(upToCount: count), data.count == count else { return nil }
        return Array(data)
    }

    /// As a connection does: in pieces, and not beyond the request that ends it.
    private static func outcome(_ message: [UInt8]) -> Outcome {
        var outcome = Outcome()
        var parser = HTTPRequestParser()
        var head: RequestHead?
        for start in stride(from: 0, to: message.count, by: 1 + message.count % 61) {
            let piece = Array(message[start..<min(start + 1 + message.count % 61, message.count)])
            var offset = 0
            do throws(HTTPRejection) {
                while let event = try parser.parse(piece.span, at: &offset) {
                    switch event {
                    case .head(let section):
                        head = section
                        try parser.readBody(maximumBytes: 1 << 20)
                    case .body(let body):
                        guard let section = head else { continue }
                        outcome.requests.append(request(section, body))
                        if !section.keepsAlive { return outcome }
                    }
                }
            } catch {
                outcome.status = error.status.code
                outcome.rule = error.rule
                return outcome
            }
        }
        return outcome
    }

    private static func request(_ head: RequestHead, _ body: [UInt8]) -> Outcome.Request {
        Outcome.Request(
            method: head.request.method.rawValue, path: head.request.path ?? "", version: head.version == .http10 ? "1.0" : "1.1",
            authority: head.request.authority,
            fields: head.request.headerFields.map { field in
                [Data(field.name.rawName.utf8), unsafe field.withUnsafeBytesOfValue { unsafe Data($0) }]
            }, body: Data(body), keepsAlive: head.keepsAlive)
    }
}
