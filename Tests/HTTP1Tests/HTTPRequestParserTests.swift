import HTTP1
import HTTPTypes
import Testing

@Suite("Request parser")
struct HTTPRequestParserTests {
    private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("It waits for a decision behind a head, and takes nothing meanwhile")
    func decision() throws {
        var parser = HTTPRequestParser()
        let input = octets("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        var offset = 0
        guard case .head = try parser.parse(input.span, at: &offset) else {
            Issue.record("no head")
            return
        }
        #expect(offset == input.count - 3)
        var event = try parser.parse(input.span, at: &offset)
        #expect(event == nil)
        #expect(offset == input.count - 3)
        try parser.readBody(maximumBytes: 3)
        event = try parser.parse(input.span, at: &offset)
        #expect(event == .body(octets("abc")))
        #expect(offset == input.count)
    }

    @Test("RFC 9112 §9.3: a discarded body is skipped, and the next request found")
    func discard() throws {
        for text in ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", chunked("3\r\nabc\r\n0\r\nX: 1\r\n\r\n")] {
            var parser = HTTPRequestParser()
            let input = octets(text + get())
            var offset = 0
            _ = try parser.parse(input.span, at: &offset)
            try parser.discardBody(maximumBytes: 3)
            let event = try parser.parse(input.span, at: &offset)
            #expect(event == .body([]))
            #expect(parser.isBetweenRequests)
            #expect(offset == text.utf8.count)
            guard case .head = try parser.parse(input.span, at: &offset) else {
                Issue.record("no second head")
                return
            }
        }
    }

    @Test("A body that is too long to skip is refused")
    func discardLimit() throws {
        for text in ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n", chunked("4\r\n")] {
            var parser = HTTPRequestParser()
            let input = octets(text)
            var offset = 0
            _ = try parser.parse(input.span, at: &offset)
            #expect(throws: HTTPRejection.self) {
                try parser.discardBody(maximumBytes: 3)
                _ = try parser.parse(input.span, at: &offset)
            }
        }
    }

    @Test("It knows whether a request has begun")
    func between() throws {
        var parser = HTTPRequestParser()
        #expect(parser.isBetweenRequests)
        var offset = 0
        _ = try parser.parse(octets("\r").span, at: &offset)
        #expect(!parser.isBetweenRequests)
        offset = 0
        _ = try parser.parse(octets("\n").span, at: &offset)
        #expect(!parser.isBetweenRequests)
        offset = 0
        _ = try parser.parse(octets(get()).span, at: &offset)
        try parser.readBody(maximumBytes: 0)
        _ = try parser.parse(octets("").span, at: &offset)
    }

    @Test("After a rejection it takes no more")
    func failed() throws {
        var parser = HTTPRequestParser()
        let input = octets("BREW / HTTP/1.1\r\n" + get())
        var offset = 0
        #expect(throws: HTTPRejection.self) { try parser.parse(input.span, at: &offset) }
        let before = offset
        let event = try parser.parse(input.span, at: &offset)
        #expect(event == nil)
        #expect(offset == before)
    }

    @Test("Every rejection cites its rule", arguments: CuttingTests.streams)
    func rules(stream: String) {
        guard let rejection = parse(stream).rejection else { return }
        #expect(rejection.rule.hasPrefix("RFC "))
        #expect(rejection.rule.contains(" §"))
        #expect(!rejection.detail.isEmpty)
    }
}
