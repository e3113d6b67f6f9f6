import HTTP1
import HTTPTypes

/// What comes out of a stream of octets: the requests, and the rejection that ended it.
struct Outcome: Equatable, Sendable {
    struct Request: Equatable, Sendable {
        var head: RequestHead
        var body: [UInt8]
    }

    var requests: [Request] = []
    /// Heads whose bodies did not come whole.
    var unfinished: RequestHead?
    var rejection: HTTPRejection?
}

/// Feeds a parser with pieces, as a connection does.
struct ParserHarness {
    private var parser: HTTPRequestParser
    private let maximumBodyBytes: Int
    private(set) var outcome = Outcome()

    init(limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1 << 20) {
        parser = HTTPRequestParser(limits: limits)
        self.maximumBodyBytes = maximumBodyBytes
    }

    mutating func feed(_ piece: ArraySlice<UInt8>) {
        guard outcome.rejection == nil else { return }
        let octets = Array(piece)
        var offset = 0
        do throws(HTTPRejection) {
            while let event = try parser.parse(octets.span, at: &offset) {
                switch event {
                case .head(let head):
                    outcome.unfinished = head
                    try parser.readBody(maximumBytes: maximumBodyBytes)
                case .body(let body):
                    if let head = outcome.unfinished { outcome.requests.append(.init(head: head, body: body)) }
                    outcome.unfinished = nil
                }
            }
        } catch {
            outcome.rejection = error
        }
    }

    static func run(_ octets: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1 << 20) -> Outcome {
        var harness = ParserHarness(limits: limits, maximumBodyBytes: maximumBodyBytes)
        var start = 0
        for cut in cuts + [octets.count] {
            harness.feed(octets[start..<cut])
            start = cut
        }
        return harness.outcome
    }
}

func parse(_ text: String, limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1 << 20) -> Outcome {
    ParserHarness.run(Array(text.utf8), limits: limits, maximumBodyBytes: maximumBodyBytes)
}

/// The status of the rejection, or 0 if there is none.
func status(_ text: String, limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1 << 20) -> Int {
    parse(text, limits: limits, maximumBodyBytes: maximumBodyBytes).rejection?.status.code ?? 0
}

func status(_ octets: [UInt8]) -> Int {
    ParserHarness.run(octets).rejection?.status.code ?? 0
}

/// A GET with these field lines.
func get(_ fields: String..., target: String = "/", version: String = "HTTP/1.1", host: String? = "h") -> String {
    "GET \(target) \(version)\r\n" + (host.map { "Host: \($0)\r\n" } ?? "") + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A POST with a chunked body, given as it is on the wire.
func chunked(_ body: String) -> String {
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body
}
