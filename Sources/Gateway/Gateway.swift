package import HTTP1
package import HTTPTypes
package import Logs
package import Metrics
internal import NTKService

/// Stands before the service: checks keys, limits, hosts and origins, counts requests, and logs them.
package struct Gateway: HTTPResponder {
    private let service: any HTTPResponder
    private let access: AccessControl
    private let crossOrigin: CrossOrigin
    private let metrics: HTTPMetrics
    private let log: AccessLog

    package init(_ service: any HTTPResponder, access: AccessControl, crossOrigin: CrossOrigin, metrics: HTTPMetrics, log: ServerLogHandler) {
        self.service = service
        self.access = access
        self.crossOrigin = crossOrigin
        self.metrics = metrics
        self.log = AccessLog(handler: log)
    }

    package func admit(_ request: inout ServerRequest) -> Admission {
        let routing = Routing.of(request)
        request.context = routing
        let resource = routing.resource
        do throws(ProblemDetails) {
            try access.checkHost(request.head, metrics)
            if let fields = crossOrigin.preflight(request.head, methods: resource?.methods ?? [.get, .head, .post, .options]) {
                return .answer(refused(request, resource, ServerResponse(status: .noContent, headerFields: fields)))
            }
            request.keyName = try access.admit(request.head, resource, from: request.remoteAddress, metrics)
        } catch {
            return .answer(refused(request, resource, error.response(requestID: NTKService.requestID(request.head), to: request.head)))
        }
        switch service.admit(&request) {
        case .accept(let maximum, let growth): return .accept(maximumBodyBytes: maximum, growth: growth)
        case .answer(var response):
            response.headerFields.append(contentsOf: access.fields(request, resource))
            return .answer(refused(request, resource, response))
        }
    }

    package func respond(to request: ServerRequest) async -> ServerResponse {
        let resource = Routing.of(request).resource
        let exchange = Exchange(request, resource)
        metrics.inFlight.increment()
        var response = await service.respond(to: request)
        response.headerFields.append(contentsOf: access.fields(request, resource))
        return finished(exchange, request.head, response) { [metrics] in metrics.inFlight.decrement() }
    }

    package func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        let exchange = Exchange(head, head.flatMap { Routing($0).resource }, from: remoteAddress)
        return finished(exchange, head, service.answer(to: rejection, head, from: remoteAddress))
    }

    private func refused(_ request: ServerRequest, _ resource: Resource?, _ response: ServerResponse) -> ServerResponse {
        finished(Exchange(request, resource), request.head, response)
    }

    /// Completes the fields, and has the answer counted and logged when the last of it is on its way.
    private func finished(
        _ exchange: Exchange, _ head: HTTPRequest?, _ response: ServerResponse, then end: @escaping @Sendable () -> Void = {}
    ) -> ServerResponse {
        var response = response
        if let head, !response.headerFields.contains(AccessLog.requestID) {
            response.headerFields[AccessLog.requestID] = NTKService.requestID(head)
        }
        crossOrigin.decorate(&response.headerFields, for: head)
        let (status, fault, fields) = (Int(response.status.code), response.fault, response.headerFields)
        switch response.body {
        case _ where exchange.method == .head:
            record(exchange, status, fault, fields, bytes: 0, isWhole: true)
            end()
        case .bytes(let bytes):
            record(exchange, status, fault, fields, bytes: bytes.count, isWhole: true)
            end()
        case .stream(let length, let next):
            let watch = watch(exchange, status, fields, end)
            response.body = .stream(length: length) { watch.watched(try await next()) }
        case .pieces(let length, let next):
            let watch = watch(exchange, status, fields, end)
            response.body = .pieces(length: length) { watch.watched(try next()) }
        }
        return response
    }

    /// Records the exchange when its content has been sent.
    private func watch(_ exchange: Exchange, _ status: Int, _ fields: HTTPFields, _ end: @escaping @Sendable () -> Void) -> AnswerWatch {
        AnswerWatch { bytes, isWhole in
            record(exchange, status, nil, fields, bytes: bytes, isWhole: isWhole)
            end()
        }
    }

    private func record(_ exchange: Exchange, _ status: Int, _ fault: String?, _ fields: HTTPFields, bytes: Int, isWhole: Bool) {
        let duration = ContinuousClock.now - exchange.start
        let answers = metrics.answers(.init(route: exchange.routeLabel, method: .init(exchange.method?.rawValue ?? ""), status: status))
        answers.count(duration, requestBytes: exchange.requestBytes, responseBytes: bytes)
        log.record(exchange, status: status, fault: fault, fields: fields, bytes: bytes, isWhole: isWhole, duration: duration)
    }
}
