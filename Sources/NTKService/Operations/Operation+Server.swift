internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import Metrics

// How the server is.
extension Operation {
    static let health = [
        get("/livez", audience: .everyone, isProbe: true) { _, _ in NTKService.json(#"{"status":"ok"}"#) },
        get("/readyz", audience: .everyone, isProbe: true, ready),
        get("/healthz", audience: .everyone, isProbe: true, ready),
        get("/metrics", answerTypes: ["text/plain"], audience: .monitoring, isProbe: true) { service, _ in
            service.capacity.memory.usage.report(to: service.metrics.memory)
            // A disk is read: not on the event loop.
            if service.jobs != nil { try await service.executor.run { _ in service.countJobs() } }
            return ServerResponse(
                headerFields: [.contentType: MetricText.mediaType, .cacheControl: "no-store"], body: .bytes(service.metrics.registry.text().bytes))
        },
        get("/version", audience: .everyone) { _, _ in NTKService.json(#"{"name":"ntk-server","version":"\#(NTKService.version)"}"#) },
    ]

    @Sendable private static func ready(_ service: NTKService, _ request: RoutedRequest) async throws -> ServerResponse {
        try await service.checkReadiness()
        return NTKService.json(#"{"status":"ok"}"#)
    }
}
