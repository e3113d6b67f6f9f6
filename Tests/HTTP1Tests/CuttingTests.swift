import HTTP1
import HTTPTypes
import TestSupport
import Testing

/// Any cutting of the bytes gives the same requests, and the same rejection.
@Suite("Cutting")
struct CuttingTests {
    private static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.requestLineOctets = 40
        limits.fieldOctets = 120
        limits.fieldCount = 4
        limits.chunkExtensionOctets = 8
        limits.chunkCount = 3
        return limits
    }

    static let streams: [String] = [
        get(),
        get(target: "/a") + get(target: "/b") + get(target: "/c"),
        "\r\n\r\n" + get() + "\r\n" + get("Connection: close"),
        "\r\n\r\n\r\n" + get(),
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + get(),
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" + get(),
        chunked("5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX: 1\r\n\r\n") + get(),
        chunked("5\r\nhello!\r\n"), chunked("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n"), chunked("1;aaaa\r\na\r\n1;aaaa\r\n"),
        chunked("1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na"), chunked("00000000000000000000000000000000005\r\nhello"),
        chunked("0\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n"), chunked("0\r\nContent-Length: 5\r\n\r\n"), chunked("zz\r\n"),
        chunked("5\nhello"),
        get(target: "/" + String(repeating: "x", count: 25)), get(target: "/" + String(repeating: "x", count: 26)),
        get(target: "/" + String(repeating: "x", count: 27)), String(repeating: "x", count: 60), String(repeating: "x", count: 41) + "\n",
        String(repeating: "x", count: 40) + "\r\n", String(repeating: "x", count: 41) + "\r\n", String(repeating: "x", count: 40) + "\r\r\n",
        get("X: " + String(repeating: "y", count: 110)), get("X: " + String(repeating: "y", count: 111)),
        get("X: " + String(repeating: "y", count: 200)), get("A: 1", "B: 2", "C: 3"), get("A: 1", "B: 2", "C: 3", "D: 4"),
        "GET / HTTP/1.1\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\n\r\n", "GET / HTTP/1.1\r\n folded\r\n\r\n", "BREW / HTTP/1.1\r\n",
        "GET / HTTP/2.0\r\n", get("X : a"), get("Expect: x"), get("Transfer-Encoding: gzip"), get("Content-Length: +5"),
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nHost: h\r\n\r", "\u{0}\u{1}\u{2}\r\n",
    ]

    private func check(_ octets: [UInt8], cuts: [Int], against whole: Outcome, _ note: String = "") {
        let outcome = ParserHarness.run(octets, cuts: cuts, limits: Self.limits)
        if outcome != whole {
            let text = String(decoding: octets, as: UTF8.self).debugDescription
            Issue.record("\(note) cuts \(cuts) of \(text): \(outcome) instead of \(whole)")
        }
    }

    @Test("In two, at every place", arguments: streams)
    func two(stream: String) {
        let octets = Array(stream.utf8)
        let whole = ParserHarness.run(octets, limits: Self.limits)
        for cut in 0...octets.count { check(octets, cuts: [cut], against: whole) }
    }

    @Test("Octet by octet", arguments: streams)
    func single(stream: String) {
        let octets = Array(stream.utf8)
        check(octets, cuts: Array(0..<octets.count), against: ParserHarness.run(octets, limits: Self.limits))
    }

    @Test("At random places, in random streams")
    func random() {
        for seed in UInt64(1)...400 {
            var generator = SeededGenerator(seed: seed)
            var octets: [UInt8] = []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                octets += Array((Self.streams.randomElement(using: &generator) ?? "").utf8)
            }
            // Some damage, so that the paths behind a wrong octet are walked too.
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let damage: [UInt8] = [0, 9, 10, 13, 32, 48, 58, 59, 255]
                octets[Int.random(in: 0..<octets.count, using: &generator)] = damage.randomElement(using: &generator) ?? 0
            }
            let whole = ParserHarness.run(octets, limits: Self.limits)
            let cuts = (0..<Int.random(in: 1...8, using: &generator)).map { _ in Int.random(in: 0...octets.count, using: &generator) }.sorted()
            check(octets, cuts: cuts, against: whole, "seed \(seed)")
        }
    }
}
