import ComputeExecutor
import Foundation
import Gateway
import HTTP1
import HTTPTypes
import Locks
import Logging
import Logs
import Metrics
import NTKService
import Testing

/// The gateway before the real service.
@Suite struct GatewayTests {
    private static let key = "a-key-that-nobody-guesses"
    private let metrics = ServerMetrics()
    private let pipe = Pipe()

    private func gateway(
        keys: [APIKey]? = nil, limit: RateLimit? = nil, origins: CrossOrigin.Allowed? = nil, opensMetrics: Bool = false, writer: LogWriter? = nil
    ) throws -> Gateway {
        var log = ServerLogHandler(.json, to: writer ?? LogWriter())
        log.logLevel = writer == nil ? .critical : .info
        let crossOrigin = CrossOrigin(origins)
        let ring = try keys.map { keys in try KeyRing { () throws(APIKeyFileError) in keys } }
        return Gateway(
            NTKService(executor: ComputeExecutor(width: 1), metrics: metrics),
            access: AccessControl(keys: ring, limiter: limit.map { RateLimiter($0) }, crossOrigin: crossOrigin, opensMetrics: opensMetrics),
            crossOrigin: crossOrigin, metrics: metrics.http, log: log)
    }

    private func send(
        _ gateway: Gateway, _ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields = [:], body: String = "",
        from address: String = "192.0.2.1"
    ) async -> ServerResponse {
        let head = HTTPRequest(method: method, scheme: "http", authority: "ntk.example:8080", path: path, headerFields: fields)
        var request = ServerRequest(head: head, remoteAddress: address)
        switch gateway.admit(&request) {
        case .answer(let response): return response
        case .accept:
            request.body = Array(body.utf8)
            return await gateway.respond(to: request)
        }
    }

    private static let kernel = #"{"architecture":{"type":"dense"},"x1":[[1]]}"#
    private static let json: HTTPFields = [.contentType: "application/json"]
    private static func bearer(_ key: String) -> HTTPFields { [.contentType: "application/json", .authorization: "Bearer \(key)"] }

    @Test func aKeyOpens() async throws {
        let gateway = try gateway(keys: [APIKey(digest: KeyDigest(of: Self.key), name: "alice")])
        #expect(await send(gateway, .post, "/v1/kernels", Self.bearer(Self.key), body: Self.kernel).status == .ok)
        var lower = Self.json
        lower[.authorization] = "bearer \(Self.key)"
        #expect(await send(gateway, .post, "/v1/kernels", lower, body: Self.kernel).status == .ok)
    }

    /// Before a body is read, and so before 100 (Continue): RFC 9110 §10.1.1.
    @Test func withoutAKeyTheAnswerIsAChallenge() async throws {
        let gateway = try gateway(keys: [APIKey(digest: KeyDigest(of: Self.key), name: "alice")])
        let head = HTTPRequest(method: .post, scheme: "http", authority: "h", path: "/v1/kernels", headerFields: Self.json)
        var request = ServerRequest(head: head, remoteAddress: "192.0.2.1")
        guard case .answer(let answer) = gateway.admit(&request) else { return #expect(Bool(false), "admitted") }
        #expect(answer.status == .unauthorized && answer.headerFields[.wwwAuthenticate] == #"Bearer realm="ntk-server""#)
        #expect(answer.headerFields[.contentType] == "application/problem+json" && answer.headerFields[.cacheControl] == "no-store")
        for wrong in [
            "Bearer wrong", "Bearer \(Self.key), Bearer \(Self.key)", "Basic \(Self.key)", "Bearer", "Bearer  \(Self.key)",
            Self.key,
            "Bearer " + String(repeating: "x", count: 10_000),
        ] {
            let answer = await send(gateway, .post, "/v1/kernels", [.contentType: "application/json", .authorization: wrong], body: Self.kernel)
            #expect(answer.status == .unauthorized, "\(wrong.prefix(60))")
            #expect(answer.headerFields[.wwwAuthenticate]?.contains("invalid_token") == true)
        }
        for path in ["/metrics", "/nothing", "/v1/kernels/../livez", "/v2/models/x/infer", "/livez/x", "/%2e/livez"] {
            #expect(await send(gateway, .get, path).status == .unauthorized, "\(path)")
        }
    }

    @Test func anExpiredKeyIsForbidden() async throws {
        let keys = [
            APIKey(digest: KeyDigest(of: Self.key), name: "old", expiry: Date(timeIntervalSinceNow: -1)),
            APIKey(digest: KeyDigest(of: "another-good-key"), name: "new", expiry: Date(timeIntervalSinceNow: 3_600)),
        ]
        let gateway = try gateway(keys: keys)
        #expect(await send(gateway, .post, "/v1/kernels", Self.bearer(Self.key), body: Self.kernel).status == .forbidden)
        #expect(await send(gateway, .post, "/v1/kernels", Self.bearer("another-good-key"), body: Self.kernel).status == .ok)
    }

    @Test func healthAndDocumentsAreOpen() async throws {
        for opensMetrics in [false, true] {
            let gateway = try gateway(keys: [], limit: RateLimit(requests: 1, seconds: 60), opensMetrics: opensMetrics)
            for path in ["/livez", "/%6civez", "/readyz", "/healthz", "/version", "/openapi.yaml", "/v2/health/live", "/v2/health/ready", "/livez"] {
                let answer = await send(gateway, .get, path)
                #expect(answer.status == .ok && answer.headerFields[.rateLimit] == nil, "\(path)")
            }
            #expect(await send(gateway, .get, "/metrics").status == (opensMetrics ? .ok : .unauthorized))
        }
    }

    @Test func keysAreReread() throws {
        let current = Mutable([APIKey(digest: KeyDigest(of: "first"), name: "a")])
        let ring = try KeyRing { () throws(APIKeyFileError) in try current.keys() }
        func identity(_ key: String) -> KeyRing.Identity {
            ring.identify(
                HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/", headerFields: [.authorization: "Bearer \(key)"]), at: .now)
        }
        #expect(identity("first") == .known(name: "a"))
        current.set([APIKey(digest: KeyDigest(of: "second"), name: "b")])
        #expect(identity("first") == .known(name: "a"), "not before it is asked for")
        try ring.reload()
        #expect(identity("first") == .unknown && identity("second") == .known(name: "b"))
        current.set(nil)
        #expect(throws: APIKeyFileError.self) { try ring.reload() }
        #expect(identity("second") == .known(name: "b"), "those from before stay")
    }

    @Test func aLimitIsToldAndKept() async throws {
        let gateway = try gateway(
            keys: [APIKey(digest: KeyDigest(of: Self.key), name: "alice"), APIKey(digest: KeyDigest(of: "other-key"), name: "bob")],
            limit: RateLimit(requests: 2, seconds: 3_600))
        for left in [1, 0] {
            let answer = await send(gateway, .post, "/v1/kernels", Self.bearer(Self.key), body: Self.kernel)
            #expect(answer.status == .ok && answer.headerFields[.rateLimitPolicy] == "\"default\";q=2;w=3600")
            #expect(answer.headerFields[.rateLimit] == "\"default\";r=\(left);t=3600")
        }
        let refused = await send(gateway, .post, "/v1/kernels", Self.bearer(Self.key), body: Self.kernel)
        #expect(refused.status == .tooManyRequests && refused.headerFields[.retryAfter] == "3600")
        #expect(refused.headerFields[.rateLimit] == "\"default\";r=0;t=3600")
        #expect(await send(gateway, .post, "/v1/kernels", Self.bearer("other-key"), body: Self.kernel).status == .ok)
        // Guessing counts by address, an IPv6 network as one.
        for suffix in ["1", "2"] { #expect(await send(gateway, .get, "/v1/networks", from: "2001:db8::\(suffix)").status == .unauthorized) }
        #expect(await send(gateway, .get, "/v1/networks", from: "2001:db8::3").status == .tooManyRequests)
        #expect(await send(gateway, .get, "/v1/networks", from: "2001:db8:0:1::3").status == .unauthorized)
    }

    @Test func preflightsAreAnsweredWithoutAKey() async throws {
        let gateway = try gateway(keys: [], origins: .origins(["https://app.example"]))
        let ask: HTTPFields = [.origin: "https://app.example", .accessControlRequestMethod: "POST"]
        let answer = await send(gateway, .options, "/v1/kernels", ask)
        #expect(answer.status == .noContent && answer.headerFields[.accessControlAllowOrigin] == "https://app.example")
        #expect(answer.headerFields[.accessControlAllowMethods] == "POST, OPTIONS")
        #expect(answer.headerFields[.accessControlAllowHeaders]?.contains("Authorization") == true)
        #expect(answer.headerFields[.vary]?.contains("Origin") == true && answer.headerFields[.accessControlAllowCredentials] == nil)
        for other in ["https://app.example:444", "http://app.example", "null", "https://evil.example", "https://app.example.evil"] {
            let answer = await send(gateway, .options, "/v1/kernels", [.origin: other, .accessControlRequestMethod: "POST"])
            #expect(answer.headerFields[.accessControlAllowOrigin] == nil && answer.headerFields[.vary] == "Origin", "\(other)")
        }
    }

    /// A page must be able to read errors, too, and the fields that it needs.
    @Test func everyAnswerSpeaksToTheBrowser() async throws {
        for allowed in [CrossOrigin.Allowed.any, .origins(["https://app.example"])] {
            let gateway = try gateway(keys: [], origins: allowed)
            for (method, path) in [(HTTPRequest.Method.get, "/livez"), (.get, "/v1/networks"), (.delete, "/livez")] {
                let answer = await send(gateway, method, path, [.origin: "https://app.example"])
                #expect(answer.headerFields[.accessControlAllowOrigin] == (allowed == .any ? "*" : "https://app.example"))
                for name in ["ETag", "Location", "Retry-After", "RateLimit", "Server-Timing", "X-Request-Id"] {
                    #expect(answer.headerFields[.accessControlExposeHeaders]?.components(separatedBy: ", ").contains(name) == true)
                }
                #expect(answer.headerFields[.accessControlAllowCredentials] == nil)
            }
        }
    }

    /// Without keys, no page of another site makes a visitor's browser change something here.
    @Test(
        arguments: [
            ("https://evil.example", nil, false), (nil, "cross-site", false), ("null", nil, false), ("http://ntk.example:8080", nil, true),
            (nil, nil, true), ("https://app.example", "cross-site", true), ("http://ntk.example:8080", "same-origin", true),
            (nil, "same-site", false),
        ] as [(String?, String?, Bool)])
    func foreignPagesDoNotSend(origin: String?, site: String?, isLetIn: Bool) async throws {
        let gateway = try gateway(origins: .origins(["https://app.example"]))
        var fields = Self.json
        fields[.origin] = origin
        if let site, let name = HTTPField.Name("Sec-Fetch-Site") { fields[name] = site }
        #expect(await send(gateway, .post, "/v1/kernels", fields, body: Self.kernel).status == (isLetIn ? .ok : .forbidden))
    }

    @Test func originsAreReadStrictly() {
        for good in ["https://app.example", "http://localhost:3000", "http://[::1]:8080"] { #expect(CrossOrigin.isOrigin(good)) }
        for bad in ["app.example", "https://", "https://app.example/", "https://App.example", "ftp://x", "https://a b", "https://a,b", "null", "*"] {
            #expect(!CrossOrigin.isOrigin(bad))
        }
    }

    @Test func everyAnswerIsCountedByItsRoute() async throws {
        let gateway = try gateway(keys: [APIKey(digest: KeyDigest(of: Self.key), name: "alice")])
        _ = await send(gateway, .post, "/v1/kernels", Self.bearer(Self.key), body: Self.kernel)
        _ = await send(gateway, .post, "/v1/kernels?x=1", Self.bearer(Self.key), body: Self.kernel)
        _ = await send(gateway, .get, "/v1/regressors/abc")
        for number in 0..<20 { _ = await send(gateway, .init("M\(number)") ?? .get, "/made/up/\(number)", Self.bearer(Self.key)) }
        _ = gateway.answer(to: .badRequest("no", "RFC 9112 §2.2"), nil, from: "192.0.2.1")
        let text = String(decoding: metrics.registry.text().bytes, as: UTF8.self)
        for line in [
            #"ntk_http_requests_total{route="/v1/kernels",method="POST",status="200"} 1"#,
            #"ntk_http_requests_total{route="/v1/kernels",method="POST",status="400"} 1"#,
            #"ntk_http_requests_total{route="/v1/regressors/{id}",method="GET",status="401"} 1"#,
            #"ntk_http_requests_total{route="none",method="other",status="404"} 20"#,
            #"ntk_http_requests_total{route="none",method="other",status="400"} 1"#,
            #"ntk_http_request_duration_seconds_count{route="/v1/kernels"} 2"#, "ntk_http_requests_in_flight 0",
            #"ntk_http_refusals_total{reason="no_key"} 1"#,
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(!text.contains("made") && !text.contains("abc"))
    }

    @Test func oneLineARequest() async throws {
        let writer = LogWriter(fileDescriptor: pipe.fileHandleForWriting.fileDescriptor)
        let gateway = try gateway(keys: [APIKey(digest: KeyDigest(of: Self.key), name: "alice")], writer: writer)
        var fields = Self.bearer(Self.key)
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        if let name = HTTPField.Name("traceparent") { fields[name] = "00-\(trace)-00f067aa0ba902b7-01" }
        if let name = HTTPField.Name("X-Request-Id") { fields[name] = "chosen" }
        fields[.userAgent] = "a \"b\"\u{1b}[31m"
        let answer = await send(gateway, .post, "/v1/kernels?format=json", fields, body: Self.kernel)
        _ = await send(gateway, .get, "/v1/networks%0a{\"forged\":1}", Self.json)
        writer.flush()
        try pipe.fileHandleForWriting.close()
        let lines = pipe.fileHandleForReading.readDataToEndOfFile().split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 2)
        let line = try #require(try JSONSerialization.jsonObject(with: lines[0]) as? [String: Any])
        #expect(line["request_id"] as? String == "chosen" && line["trace_id"] as? String == trace && line["key"] as? String == "alice")
        #expect(line["route"] as? String == "/v1/kernels" && line["method"] as? String == "POST" && line["status"] as? Int == 200)
        #expect(line["remote"] as? String == "192.0.2.1" && line["bytes_in"] as? Int == Self.kernel.utf8.count)
        guard case .bytes(let content) = answer.body else { return #expect(Bool(false), "a small answer is whole") }
        #expect(line["bytes_out"] as? Int == content.count)
        for name in ["duration_ms", "queue_ms", "parse_ms", "compute_ms", "encode_ms"] { #expect(line[name] as? Double != nil, "\(name)") }
        let second = try #require(try JSONSerialization.jsonObject(with: lines[1]) as? [String: Any])
        #expect(second["forged"] == nil && second["status"] as? Int == 401)
    }

    /// What went wrong in the server itself is named in the log, at `error`, and not to the client.
    @Test func faultsAreLoggedByName() async throws {
        struct Failing: HTTPResponder {
            func admit(_ request: inout ServerRequest) -> Admission { .accept(maximumBodyBytes: 1 << 20) }
            func respond(to request: ServerRequest) async -> ServerResponse {
                var response = ServerResponse(status: .internalServerError)
                response.fault = "KernelFault: an operand"
                return response
            }
            func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
                ServerResponse(status: rejection.status)
            }
        }
        let writer = LogWriter(fileDescriptor: pipe.fileHandleForWriting.fileDescriptor)
        var log = ServerLogHandler(.json, to: writer)
        log.logLevel = .error
        let crossOrigin = CrossOrigin(nil)
        let gateway = Gateway(
            Failing(), access: AccessControl(keys: nil, limiter: nil, crossOrigin: crossOrigin, opensMetrics: false), crossOrigin: crossOrigin,
            metrics: metrics.http, log: log)
        let answer = await send(gateway, .post, "/v1/kernels", Self.json, body: Self.kernel)
        #expect(answer.status == .internalServerError)
        writer.flush()
        try pipe.fileHandleForWriting.close()
        let line = try #require(try JSONSerialization.jsonObject(with: pipe.fileHandleForReading.readDataToEndOfFile()) as? [String: Any])
        #expect(line["fault"] as? String == "KernelFault: an operand" && line["level"] as? String == "error" && line["status"] as? Int == 500)
    }
}

/// A file of keys that changes; nil is one that cannot be read.
private final class Mutable: Sendable {
    private let value: Lock<[APIKey]?>

    init(_ keys: [APIKey]?) { value = Lock(keys) }

    func set(_ keys: [APIKey]?) { value.withLock { $0 = keys } }

    func keys() throws(APIKeyFileError) -> [APIKey] {
        guard let keys = value.withLock({ $0 }) else { throw APIKeyFileError(place: "line 1", detail: "bad") }
        return keys
    }
}

extension HTTPField.Name {
    fileprivate static let rateLimit = HTTPField.Name("RateLimit") ?? .via
    fileprivate static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy") ?? .via
}
