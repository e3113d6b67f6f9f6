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

    package func admit(_ head: HTTPRequest, from remoteAddress: String) -> Admission {
        let admission = base.admit(head, from: remoteAddress)
        guard case .accept = admission else { return admission }
        switch RequestCoding(head) {
        case .identity: break
        case .gzip where configuration.isEnabled: break
        case .gzip: return .answer(unsupported("gzip", head, remoteAddress))
        case .other(let field): return .answer(unsupported(field, head, remoteAddress))
        }
        if AcceptedCodings(head.headerFields.value(.acceptEncoding)).refusesBoth {
            let rejection = HTTPRejection(
                status: .notAcceptable, detail: "Accept-Encoding refuses what there is: \(codings.joined(separator: ", ")).",
                rule: "RFC 9110 §12.5.3")
            return .answer(base.answer(to: rejection, head, from: remoteAddress))
        }
        return admission
    }

    package func respond(to request: ServerRequest) async -> ServerResponse {
        let original = request.head
        var request = request
        var leases: [BodyMemory.Lease] = []
        defer { withExtendedLifetime(leases) {} }
        if RequestCoding(original) == .gzip, !request.body.isEmpty {
            do throws(HTTPRejection) {
                request.body = try await inflated(request.body, &leases)
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

    private var codings: [String] { configuration.isEnabled ? ["gzip", "identity"] : ["identity"] }

    /// 415, with `Accept-Encoding`, which says that the coding was the reason (RFC 9110 §12.5.3).
    private func unsupported(_ coding: String, _ head: HTTPRequest, _ remoteAddress: String) -> ServerResponse {
        let rejection = HTTPRejection(
            status: .unsupportedMediaType,
            detail: "Content-Encoding: \(codings.joined(separator: " or ")) expected; \(coding.prefix(80)) came.", rule: "RFC 9110 §8.4")
        var response = base.answer(to: rejection, head, from: remoteAddress)
        response.headerFields[.acceptEncoding] = codings.joined(separator: ", ")
        return response
    }

    /// - Parameter leases: of the memory that the content has.
    private func inflated(_ body: [UInt8], _ leases: inout [BodyMemory.Lease]) async throws(HTTPRejection) -> [UInt8] {
        guard let reader = GzipReader(body, configuration) else { throw Self.unavailable }
        var reserved = reader.expectedOctets
        try await reserve(reserved, &leases)
        let isSmall = body.count <= Self.smallOctets
        let shared = Shared(reader)
        do {
            while true {
                // One more than there is memory for, to find the end: pieces are larger than that.
                let step = min(Self.stepOctets, reserved + 1 - shared.lock.withLock { $0.content.count })
                let hasEnded =
                    isSmall
                    ? try shared.lock.withLock { try $0.advance(by: step) }
                    : try await executor.run { _ in try shared.lock.withLock { try $0.advance(by: step) } }
                if hasEnded { return shared.lock.withLock { $0.content } }
                guard shared.lock.withLock({ $0.content.count }) > reserved else { continue }
                // Several members, of which the file tells the size of the last alone.
                try await reserve(max(reserved, GzipReader.pieceOctets), &leases)
                reserved += max(reserved, GzipReader.pieceOctets)
            }
        } catch let rejection as HTTPRejection {
            throw rejection
        } catch {
            // The client has gone.
            throw Self.unavailable
        }
    }

    private func reserve(_ octets: Int, _ leases: inout [BodyMemory.Lease]) async throws(HTTPRejection) {
        guard let memory, octets > 0 else { return }
        guard octets <= memory.largest else {
            throw .contentTooLarge("The content is longer than \(memory.largest) bytes once it is inflated.", "RFC 9110 §15.5.14")
        }
        if let lease = memory.reserveNow(octets) { return leases.append(lease) }
        // The compressed body has memory already.
        guard let lease = try await memory.reserve(octets, isGrowth: true) else { throw Self.unavailable }
        leases.append(lease)
    }

    private static var unavailable: HTTPRejection {
        HTTPRejection(status: .serviceUnavailable, detail: "The content could not be inflated now.", rule: "RFC 9110 §15.6.4")
    }
}
