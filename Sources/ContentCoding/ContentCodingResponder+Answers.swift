internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import Locks

extension ContentCodingResponder {
    /// Content of this size is coded as a whole, so that its length can be told; longer content as it is sent.
    private static var wholeOctets: Int { 1024 * 1024 }
    /// Longer content is coded in slices of this size.
    private static var sliceOctets: Int { 256 * 1024 }

    /// The answer in the coding that the client prefers.
    func coded(_ response: ServerResponse, for head: HTTPRequest) async -> ServerResponse {
        var response = response
        if response.status == .notModified { return notModified(response, for: head) }
        guard Self.hasContent(response), !response.headerFields.contains(.contentEncoding) else { return response }
        let accepted = AcceptedCodings(head.headerFields.value(.acceptEncoding))
        let isWorthIt = isLong(response.body) && Self.isText(response)
        if isWorthIt { Self.vary(&response) }
        // Ranges are those of the uncoded representation.
        guard !head.headerFields.contains(.range), accepted.gzip > 0 else { return response }
        guard isWorthIt && accepted.prefersGzip || (accepted.identity == 0 && !Self.isEventStream(response)) else { return response }
        guard let body = await gzip(response.body) else { return response }
        response.body = body
        response.headerFields[.contentEncoding] = "gzip"
        if let tag = response.headerFields[.eTag] { response.headerFields[.eTag] = EntityTag.coded(tag) }
        Self.vary(&response)
        return response
    }

    /// RFC 9110 §15.4.5: with the tag and the `Vary` of the 200 that it stands for.
    private func notModified(_ response: ServerResponse, for head: HTTPRequest) -> ServerResponse {
        var response = response
        Self.vary(&response)
        if let tag = response.headerFields[.eTag], let condition = head.headerFields[.ifNoneMatch], EntityTag.names(condition, codedFormOf: tag) {
            response.headerFields[.eTag] = EntityTag.coded(tag)
        }
        return response
    }

    private static func hasContent(_ response: ServerResponse) -> Bool {
        switch response.status.code {
        case 204, 205, 206, 304: false
        default: true
        }
    }

    /// Whether the content is text, which gzip makes several times shorter; of binary floats it saves some percent.
    private static func isText(_ response: ServerResponse) -> Bool {
        guard !isEventStream(response) else { return false }
        if let control = response.headerFields.value(.cacheControl), control != "no-store", control.contains("no-transform") { return false }
        let type = mediaType(response)
        return type.hasPrefix("text/") || type.hasSuffix("json") || type.hasSuffix("yaml") || type.hasSuffix("xml")
            || type == "application/javascript"
    }

    /// Events must leave as they come.
    private static func isEventStream(_ response: ServerResponse) -> Bool { mediaType(response) == "text/event-stream" }

    private static func mediaType(_ response: ServerResponse) -> String {
        guard let type = response.headerFields.value(.contentType) else { return "" }
        return type == "application/json" ? type : type.utf8.split(separator: UInt8(ascii: ";")).first?.trimmed ?? ""
    }

    private func isLong(_ body: ResponseBody) -> Bool {
        switch body {
        case .bytes(let bytes): bytes.count >= configuration.minimumOctets
        case .stream(let length, _), .pieces(let length, _): length.map { $0 >= configuration.minimumOctets } ?? true
        }
    }

    private static func vary(_ response: inout ServerResponse) {
        let before = response.headerFields.value(.vary)
        if let before, before != "Accept" {
            let names = before.utf8.split(separator: UInt8(ascii: ",")).map { $0.trimmed }
            guard !names.contains("accept-encoding"), !names.contains("*") else { return }
        }
        response.headerFields[.vary] = (before.map { $0 + ", " } ?? "") + "Accept-Encoding"
    }

    // MARK: Content

    /// Nil if it cannot be coded now.
    private func gzip(_ body: ResponseBody) async -> ResponseBody? {
        guard let stream = GzipStream(executor: executor, level: configuration.level) else { return nil }
        switch body {
        case .bytes(let bytes) where bytes.count <= Self.wholeOctets:
            guard let whole = try? await stream.write(bytes[...], isLast: true) else { return nil }
            return .bytes(whole)
        case .bytes(let bytes):
            let slices = Slices(bytes, size: Self.sliceOctets)
            return .stream(length: nil) { try await stream.next { await slices.next() } }
        case .stream(_, let next):
            return .stream(length: nil) { try await stream.next(next) }
        case .pieces(_, let next):
            return .stream(length: nil) { try await stream.next { try next() } }
        }
    }
}

/// Hands out content piece by piece.
private actor Slices {
    private let bytes: [UInt8]
    private let size: Int
    private var start = 0

    init(_ bytes: [UInt8], size: Int) {
        self.bytes = bytes
        self.size = size
    }

    func next() -> [UInt8]? {
        guard start < bytes.count else { return nil }
        defer { start += size }
        return Array(bytes[start..<min(start + size, bytes.count)])
    }
}
