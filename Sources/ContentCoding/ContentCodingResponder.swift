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

    package init(_ base: Base, executor: ComputeExecutor, configuration: ContentCodingConfiguration = ContentCodingConfiguration()) {
        self.base = base
        self.executor = executor
        self.configuration = configuration
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
        if AcceptedCodings(head.headerFields[.acceptEncoding]).refusesBoth {
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
        if RequestCoding(original) == .gzip, !request.body.isEmpty {
            do throws(HTTPRejection) {
                request.body = try await inflated(request.body)
                request.head.headerFields[.contentEncoding] = nil
            } catch {
                return base.answer(to: error, original, from: request.remoteAddress)
            }
        }
        guard configuration.isEnabled else { return await base.respond(to: request) }
        for name in [HTTPField.Name.ifNoneMatch, .ifMatch] {
            if let field = original.headerFields[name] { request.head.headerFields[name] = EntityTag.uncoded(field) }
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

    private func inflated(_ body: [UInt8]) async throws(HTTPRejection) -> [UInt8] {
        guard let reader = GzipReader(body, configuration) else { throw Self.unavailable }
        if body.count <= Self.smallOctets {
            while try !reader.advance(by: Self.stepOctets) {}
            return reader.content
        }
        let shared = Shared(reader)
        do {
            while try await !executor.run({ _ in try shared.lock.withLock { try $0.advance(by: Self.stepOctets) } }) {}
            return shared.lock.withLock { $0.content }
        } catch let rejection as HTTPRejection {
            throw rejection
        } catch {
            // The client has gone.
            throw Self.unavailable
        }
    }

    private static var unavailable: HTTPRejection {
        HTTPRejection(status: .serviceUnavailable, detail: "The content could not be inflated now.", rule: "RFC 9110 §15.6.4")
    }
}
