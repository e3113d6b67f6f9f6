import ContentCoding
import HTTP1
import HTTPTypes
import Testing

@Suite("Coding of requests")
struct RequestCodingTests {
    private func send(_ body: [UInt8], _ change: (inout ContentCodingConfiguration) -> Void = { _ in }) async -> ServerResponse {
        await Within.echo.coding(change).respond(to: request([.contentEncoding: "gzip"], method: .post, body: body))
    }

    @Test("RFC 9110 §8.4.1.3: gzip is undone, small or large", arguments: [0, 1, 1_000, 100_000, 3_000_000])
    func inflated(size: Int) async throws {
        let content = digits(size)
        let response = await send(Gzip.pack(content))
        #expect(response.status == .ok)
        #expect(try await response.content() == content)
    }

    @Test("The responder within sees content without a coding")
    func fieldIsGone() async {
        let within = Within { ServerResponse(headerFields: [.contentEncoding: $0.head.headerFields[.contentEncoding] ?? "none"]) }
        let response = await within.coding().respond(to: request([.contentEncoding: "gzip"], method: .post, body: Gzip.pack([1])))
        #expect(response.headerFields[.contentEncoding] == "none")
    }

    @Test("RFC 1952 §2.2: several members are one content")
    func members() async throws {
        let response = await send(Gzip.pack([1, 2]) + Gzip.pack([]) + Gzip.pack([3]))
        #expect(try await response.content() == [1, 2, 3])
    }

    @Test("Content has memory before it is inflated, of several members too", arguments: [1, 100_000, 3_000_000], [1, 3])
    func memory(size: Int, members: Int) async throws {
        let content = (0..<members).flatMap { _ in digits(size) }
        let memory = CountedMemory(largest: 1 << 26, room: 1 << 26)
        let within = Within { request in
            let taken = memory.taken
            // Of members but the last nothing is known; a piece is what one step inflates.
            #expect(taken + 65_536 >= request.body.count && taken <= 2 * request.body.count + 65_536, "\(taken)")
            return ServerResponse(body: .bytes(request.body))
        }
        let packed = (0..<members).flatMap { _ in Gzip.pack(digits(size)) }
        let response = await within.coding(memory: memory).respond(to: request([.contentEncoding: "gzip"], method: .post, body: packed))
        #expect(try await response.content() == content)
        #expect(memory.taken == 0)
    }

    @Test("Content for which there is no memory now is 503, and 413 if there never will be", arguments: [(1 << 26, 503), (1_000, 413)])
    func noMemory(largest: Int, status: Int) async {
        let memory = CountedMemory(largest: largest, room: 1_000)
        let packed = Gzip.pack(digits(100_000))
        let response = await Within.echo.coding(memory: memory).respond(to: request([.contentEncoding: "gzip"], method: .post, body: packed))
        #expect(response.status.code == status)
        #expect(response.headerFields[.retryAfter] == (status == 503 ? "7" : nil))
        #expect(memory.taken == 0)
    }

    @Test(
        "RFC 9110 §8.4.1.2: deflate is undone, in the zlib format and without its wrapping", arguments: [15, -15] as [Int32],
        [0, 1, 1_000, 3_000_000])
    func deflated(windowBits: Int32, size: Int) async throws {
        let content = digits(size)
        let packed = Gzip.pack(content, windowBits: windowBits)
        func send(_ body: [UInt8]) async -> ServerResponse {
            await Within.echo.coding { _ in }.respond(to: request([.contentEncoding: "deflate"], method: .post, body: body))
        }
        #expect(try await send(packed).content() == content)
        // One stream, and nothing behind it; all of it.
        #expect(await send(packed + [0]).status == .badRequest)
        #expect(await send(Array(packed.dropLast())).status == .badRequest)
        #expect(await send(Gzip.pack(content)).status == .badRequest)
    }

    @Test("Bombs of deflate are 413 as well")
    func deflatedBomb() async {
        let packed = Gzip.pack([UInt8](repeating: 0x30, count: 8 << 20), windowBits: 15)
        let response = await Within.echo.coding { _ in }.respond(to: request([.contentEncoding: "deflate"], method: .post, body: packed))
        #expect(response.status.code == 413)
    }

    @Test("RFC 1952 §2.2: cut anywhere it is 400")
    func cut() async {
        let packed = Gzip.pack(digits(200))
        for length in 1..<packed.count { #expect(await send(Array(packed[..<length])).status == .badRequest, "\(length)") }
    }

    @Test("RFC 1952 §2.3: any octet changed is 400, or inflates to the same")
    func damaged() async throws {
        let content = digits(200)
        let packed = Gzip.pack(content)
        for place in packed.indices {
            var damaged = packed
            damaged[place] ^= 0x10
            let response = await send(damaged)
            // Times in the header, and bits behind the end of the deflated content, mean nothing.
            let isSame = try await response.content() == content
            #expect(response.status == .badRequest || isSame, "octet \(place)")
        }
    }

    @Test("RFC 1952 §2.2: something behind it, or something else, is 400")
    func other() async {
        #expect(await send(Gzip.pack([1]) + [0]).status == .badRequest)
        #expect(await send(Array("{}".utf8)).status == .badRequest)
        #expect(await send([0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]).status == .badRequest, "zlib's own wrapper")
    }

    @Test("RFC 9110 §15.5.14: over the limit of octets is 413, at it not")
    func limit() async {
        let packed = Gzip.pack(digits(10_000))
        #expect(await send(packed) { $0.maximumInflatedOctets = 10_000 }.status == .ok)
        #expect(await send(packed) { $0.maximumInflatedOctets = 9_999 }.status.code == 413)
        let large = Gzip.pack(digits(1_000_000))
        #expect(await send(large) { $0.maximumInflatedOctets = 1_000_000 }.status == .ok)
        #expect(await send(large) { $0.maximumInflatedOctets = 999_999 }.status.code == 413)
    }

    @Test("RFC 9110 §15.5.14: a bomb of 1 to 1,000 is 413, whatever size it claims", arguments: [nil, 0, 1, UInt8.max])
    func bomb(claim: UInt8?) async {
        for size in [300 * 1024, 20 << 20] {
            var packed = Gzip.pack([UInt8](repeating: 0x30, count: size))
            if let claim { packed.replaceSubrange((packed.count - 4)..., with: repeatElement(claim, count: 4)) }
            #expect(await send(packed).status.code == 413)
        }
        #expect(await send(Gzip.pack([UInt8](repeating: 0x30, count: 256 * 1024))).status == .ok, "small content may repeat itself")
    }

    private func admit(_ coding: String, _ change: (inout ContentCodingConfiguration) -> Void = { _ in }) -> ServerResponse? {
        var request = request([.contentEncoding: coding], method: .post)
        guard case .answer(let response) = Within.echo.coding(change).admit(&request) else { return nil }
        return response
    }

    @Test(
        "RFC 9110 §15.5.16: another coding is 415, before the body, and Accept-Encoding says which are taken",
        arguments: ["br", "deflate, deflate", "gzip, deflate", "gzip, gzip", "gzip, br", "gzip;q=1", "zstd", "compress", "\u{E9}"])
    func unsupported(coding: String) {
        let response = admit(coding)
        #expect(response?.status == .unsupportedMediaType)
        #expect(response?.headerFields[.acceptEncoding] == "gzip, deflate, identity")
    }

    @Test(
        "RFC 9110 §8.4.1: codings are named in any case; identity is none",
        arguments: ["gzip", "GZip", "x-gzip", "identity", "identity, gzip", "", " gzip "])
    func supported(coding: String) {
        #expect(admit(coding) == nil)
    }

    @Test("Off, gzip is 415 as well")
    func off() {
        let response = admit("gzip") { $0.isEnabled = false }
        #expect(response?.status == .unsupportedMediaType)
        #expect(response?.headerFields[.acceptEncoding] == "identity")
    }

    @Test("What is refused on its header section for another reason keeps that reason")
    func order() {
        let within = Within(admission: .answer(ServerResponse(status: .notFound)), respond: { _ in ServerResponse() })
        var request = request([.contentEncoding: "br"])
        guard case .answer(let response) = within.coding().admit(&request) else {
            Issue.record("accepted")
            return
        }
        #expect(response.status == .notFound)
    }
}
