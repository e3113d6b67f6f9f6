import HTTP1
import HTTPTypes
import Testing

@Suite("Bodies that get room bit by bit")
struct RationedBodyTests {
    private struct Reading {
        var body: [UInt8]?
        var rations: [Int] = []
        var rejection: HTTPRejection?
    }

    /// Feeds a message in pieces of `step` octets, and gives room whenever it is wanted.
    private func read(_ message: [UInt8], step: Int, maximum: Int, limits: HTTPLimits) -> Reading {
        var parser = HTTPRequestParser(limits: limits)
        var reading = Reading()
        var start = 0
        var end = 0
        do throws(HTTPRejection) {
            while true {
                while let event = try parser.parse(message.span.extracting(0..<end), at: &start) {
                    switch event {
                    case .head: try parser.readBody(maximumBytes: maximum, isRationed: true)
                    case .body(let body):
                        reading.body = body
                        return reading
                    }
                }
                if let octets = parser.wantedRoom {
                    parser.giveRoom(octets)
                    reading.rations.append(octets)
                } else if end < message.count {
                    end = min(end + step, message.count)
                } else {
                    return reading
                }
            }
        } catch {
            reading.rejection = error
        }
        return reading
    }

    private static let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.firstRoomOctets = 8
        return limits
    }()

    private func chunks(_ body: [UInt8], _ size: Int) -> [UInt8] {
        var message = Array("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: body.count, by: size) {
            let chunk = body[start..<min(start + size, body.count)]
            ChunkEncoder.appendSizeLine(chunk.count, to: &message)
            message += chunk + [13, 10]
        }
        return message + ChunkEncoder.last
    }

    @Test("With a length all room is wanted at once, before any of it is read", arguments: [1, 7, 1_000])
    func sized(step: Int) {
        let body = (0..<100).map { UInt8($0) }
        let reading = read(
            Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n".utf8) + body, step: step, maximum: 100, limits: Self.limits)
        #expect(reading.body == body)
        #expect(reading.rations == [100])
    }

    @Test("In chunks it doubles, and is what the body takes, up to the double", arguments: [1, 3, 8, 64, 1_000], [1, 5, 32, 1_000])
    func chunked(size: Int, step: Int) {
        for count in [0, 1, 7, 8, 9, 63, 64, 65, 200] {
            let body = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let reading = read(chunks(body, size), step: step, maximum: 200, limits: Self.limits)
            #expect(reading.body == body)
            let room = reading.rations.reduce(0, +)
            #expect(room >= count && room <= max(8, min(2 * count, 200)), "\(reading.rations) for \(count)")
        }
    }

    @Test("Nothing is taken that has no room")
    func without() throws {
        var parser = HTTPRequestParser(limits: Self.limits)
        let message = chunks([UInt8](repeating: 7, count: 20), 20)
        var offset = 0
        guard case .head = try parser.parse(message.span, at: &offset) else { throw HTTPRejection.badRequest("no head", "") }
        try parser.readBody(maximumBytes: 100, isRationed: true)
        let head = offset
        #expect(parser.wantedRoom == 8)
        #expect(try parser.parse(message.span, at: &offset) == nil)
        // The size line, and no data.
        #expect(offset == head + 4)
        #expect(parser.wantedRoom == 8)
        parser.giveRoom(8)
        #expect(try parser.parse(message.span, at: &offset) == nil)
        #expect(offset == head + 12 && parser.wantedRoom == 8)
    }

    @Test("The limit holds, whatever room there is")
    func limit() {
        let reading = read(chunks([UInt8](repeating: 7, count: 201), 10), step: 1_000, maximum: 200, limits: Self.limits)
        #expect(reading.rejection?.status.code == 413)
        #expect(reading.rations.reduce(0, +) <= 200)
    }

    @Test("A request without a body wants none")
    func none() {
        let reading = read(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8), step: 1, maximum: 200, limits: Self.limits)
        #expect(reading.body == [] && reading.rations.isEmpty)
    }
}
