package import ComputeExecutor
package import HTTP1
package import HTTPTypes
internal import Locks

/// Undoes the gzip of requests before another responder sees them, and codes its answers for clients that take gzip (RFC 9110 §8.4, §12.5.3).
///
/// The responder within knows of no coding: its entity tags are those of uncoded representations, and so are the tags in the conditions that it
/// is asked. What would hold up an event loop is done on `executor`.
package struct ContentCodingResponder<Base: HTTPResponder>: HTTPResponder {
    /// Octets of gzip, and of content, that are worked on where they are; more are some tenths of a millisecond of work.
    static var smallOctets: Int { 8 * 1024 }
    /// Octets inflated before other work has its turn on a worker.
    private static var stepOctets: Int { 16 * 1024 * 1024 }

    let base: Base
    let executor: ComputeExecutor
    let configuration: ContentCodingConfiguration
    let memory: (any BodyMemory)?

    /// - Parameter memory: from which inflated content takes what it needs; nil to inflate without asking.
    package init(
        _ base: Base, executor: ComputeExecutor, configuration: ContentCodingConfiguration = ContentCodingConfiguration(),
        memory: (any BodyMemory)? = nil
    ) {
        self.base = base
        self.executor = executor
        self.configuration = configuration
        self.memory = memory
    }

    package func admit(_ request: inout ServerRequest) -> Admission {
        let admission = base.admit(&request)
        guard case .accept(let maximum, var growth) = admission else { return admission }
        switch RequestCoding(request.head) {
        case .identity: break
        case .gzip where configuration.isEnabled, .deflate where configuration.isEnabled:
            growth = configuration.mostOctets(of: request.head.headerFields[.contentLength].flatMap { Int($0) } ?? maximum)
        case .gzip: return .answer(unsupported("gzip", request.head, request.remoteAddress))
        case .deflate: return .answer(unsupported("deflate", request.head, request.remoteAddress))
        case .other(let field): return .answer(unsupported(field, request.head, request.remoteAddress))
        }
        if AcceptedCodings(request.head.headerFields.value(.acceptEncoding)).refusesBoth {
            let rejection = HTTPRejection(
                status: .notAcceptable, detail: "Accept-Encoding refuses what there is: \(codings.joined(separator: ", ")).",
                rule: "RFC 9110 §12.5.3")
            return .answer(base.answer(to: rejection, request.head, from: request.remoteAddress))
        }
        return .accept(maximumBodyBytes: maximum, growth: growth)
    }

    package func respond(to request: ServerRequest) async -> ServerResponse {
        let original = request.head
        var request = request
        let coding = RequestCoding(original)
        if coding == .gzip || coding == .deflate, !request.body.isEmpty {
            do throws(HTTPRejection) {
                try await inflate(&request, coding == .gzip ? .gzip : .deflate)
                request.head.headerFields[.contentEncoding] = nil
            } catch {
                var response = base.answer(to: error, original, from: request.remoteAddress)
                if let seconds = error.retryAfterSeconds { response.headerFields[.retryAfter] = String(seconds) }
                return response
            }
        }
        guard configuration.isEnabled else { return await base.respond(to: request) }
        for name in [HTTPField.Name.ifNoneMatch, .ifMatch] {
            if let field = original.headerFields.value(name) { request.head.headerFields[name] = EntityTag.uncoded(field) }
        }
        return await coded(base.respond(to: request), for: original)
    }

    package func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        base.answer(to: rejection, head, from: remoteAddress)
    }

    /// Of answers.
    private var codings: [String] { configuration.isEnabled ? ["gzip", "identity"] : ["identity"] }
    private var requestCodings: [String] { configuration.isEnabled ? ["gzip", "deflate", "identity"] : ["identity"] }

    /// 415, with `Accept-Encoding`, which says that the coding was the reason (RFC 9110 §12.5.3).
    private func unsupported(_ coding: String, _ head: HTTPRequest, _ remoteAddress: String) -> ServerResponse {
        let rejection = HTTPRejection(
            status: .unsupportedMediaType,
            detail: "Content-Encoding: \(requestCodings.joined(separator: " or ")) expected; \(coding.prefix(80)) came.", rule: "RFC 9110 §8.4")
        var response = base.answer(to: rejection, head, from: remoteAddress)
        response.headerFields[.acceptEncoding] = requestCodings.joined(separator: ", ")
        return response
    }

    /// Undoes the coding. The body's memory becomes that of the content.
    private func inflate(_ request: inout ServerRequest, _ format: GzipReader.Format) async throws(HTTPRejection) {
        let packed = request.body
        let own = request.lease?.bytes ?? 0
        var shared = try reader(packed, format)
        var reserved = shared.lock.withLock { $0.expectedOctets }
        try await reserve(reserved, beside: own, &request.lease)
        while true {
            // One more than there is memory for, to find the end: pieces are larger than that.
            if try await advance(shared, by: reserved + 1, packed) { break }
            // Several members, of which the file tells the size of the last alone.
            let more = max(reserved, GzipReader.pieceOctets)
            if request.lease?.growNow(by: more) ?? (memory == nil) {
                reserved += more
                continue
            }
            // To hold what is inflated and wait for more is to keep others from theirs: it is let go, and made again when there is room for all.
            request.lease?.shrink(to: own)
            shared = try reader(packed, format, keeps: false)
            while try await !advance(shared, by: .max, packed) {}
            reserved = shared.lock.withLock { $0.count }
            try await reserve(reserved, beside: own, &request.lease)
            shared = try reader(packed, format, count: reserved)
        }
        request.body = shared.lock.withLock { $0.content }
        request.lease?.shrink(to: max(reserved, request.body.count))
        request.lease?.endGrowth()
    }

    private func reader(
        _ packed: [UInt8], _ format: GzipReader.Format, count: Int? = nil, keeps: Bool = true
    ) throws(HTTPRejection) -> Shared<GzipReader> {
        guard let reader = GzipReader(packed, configuration, format: format, count: count, keeps: keeps) else { throw Self.unavailable }
        return Shared(reader)
    }

    /// Inflates up to so many octets in all. True at the end of the file.
    private func advance(_ shared: Shared<GzipReader>, by goal: Int, _ packed: [UInt8]) async throws(HTTPRejection) -> Bool {
        do {
            while true {
                let count = shared.lock.withLock { $0.count }
                guard count < goal else { return false }
                let step = min(Self.stepOctets, goal - count)
                let hasEnded =
                    packed.count <= Self.smallOctets
                    ? try shared.lock.withLock { try $0.advance(by: step) }
                    : try await executor.run { _ in try shared.lock.withLock { try $0.advance(by: step) } }
                if hasEnded { return true }
            }
        } catch let rejection as HTTPRejection {
            throw rejection
        } catch {
            // The client has gone.
            throw Self.unavailable
        }
    }

    /// - Parameter own: octets of the body as it came.
    private func reserve(_ octets: Int, beside own: Int, _ lease: inout BodyMemory.Lease?) async throws(HTTPRejection) {
        guard let memory, octets > 0 else { return }
        guard octets <= memory.largest - own else {
            throw .contentTooLarge("The content is longer than \(memory.largest - own) bytes once it is inflated.", "RFC 9110 §15.5.14")
        }
        if let lease {
            guard try await lease.grow(by: octets) else { throw Self.unavailable }
        } else if let new = memory.reserveNow(octets, growth: 0) {
            lease = new
        } else {
            lease = try await memory.reserve(octets, growth: 0)
            if lease == nil { throw Self.unavailable }
        }
    }

    private static var unavailable: HTTPRejection {
        HTTPRejection(status: .serviceUnavailable, detail: "The content could not be inflated now.", rule: "RFC 9110 §15.6.4")
    }
}
