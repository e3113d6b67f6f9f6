internal import Locks

/// Requests, by route: the template of a path, never the path that came.
package struct HTTPMetrics: Sendable {
    package enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"
        /// Any other word.
        case other

        package init(_ word: String) { self = Method(rawValue: word) ?? .other }
    }

    package struct Answered: LabelSet {
        package static let names: [StaticString] = ["route", "method", "status"]
        package var route: LabelValue
        package var method: Method
        package var status: Int

        package init(route: LabelValue, method: Method, status: Int) {
            self.route = route
            self.method = method
            self.status = (100...599).contains(status) ? status : 500
        }

        package var values: [LabelValue] { [route, LabelValue(method), LabelValue(status: status)] }
    }

    package struct Route: LabelSet {
        package static let names: [StaticString] = ["route"]
        package var route: LabelValue
        package init(_ route: LabelValue) { self.route = route }
        package var values: [LabelValue] { [route] }
    }

    package enum Refusal: String, SingleLabel {
        package static let name: StaticString = "reason"
        case noKey = "no_key"
        case unknownKey = "unknown_key"
        case expiredKey = "expired_key"
        case rateLimit = "rate_limit"
        case foreignOrigin = "foreign_origin"
        case foreignHost = "foreign_host"
    }

    /// The counters of answers alike, looked up once.
    package struct Answers: Sendable {
        fileprivate let requests: Counter
        fileprivate let durations: Histogram
        fileprivate let requestBytes, responseBytes: Counter

        package func count(_ duration: Duration, requestBytes: Int, responseBytes: Int) {
            requests.increment()
            durations.observe(duration)
            self.requestBytes.increment(by: requestBytes)
            self.responseBytes.increment(by: responseBytes)
        }
    }

    package let requests: MetricFamily<Answered, Counter>
    package let durations: MetricFamily<Route, Histogram>
    package let requestBytes: MetricFamily<Route, Counter>
    package let responseBytes: MetricFamily<Route, Counter>
    /// With the responder now, or with an answer that is not all sent.
    package let inFlight: Gauge
    package let refusals: MetricFamily<Refusal, Counter>
    private let known = Known()

    private final class Known: Sendable {
        let answers = Lock<[Answered: Answers]>([:])
    }

    /// What counts answers of these labels.
    package func answers(_ labels: Answered) -> Answers {
        known.answers.withLock { known in
            if let answers = known[labels] { return answers }
            let route = Route(labels.route)
            let answers = Answers(
                requests: requests[labels], durations: durations[route], requestBytes: requestBytes[route], responseBytes: responseBytes[route])
            known[labels] = answers
            return answers
        }
    }

    init(_ registry: MetricRegistry) {
        requests = registry.counters("ntk_http_requests_total", "Requests answered.", by: Answered.self)
        durations = registry.histograms(
            "ntk_http_request_duration_seconds", "Time from a whole request to the last piece of its answer.", bounds: .requestSeconds,
            by: Route.self)
        requestBytes = registry.counters("ntk_http_request_bytes_total", "Bytes of request bodies.", by: Route.self)
        responseBytes = registry.counters("ntk_http_response_bytes_total", "Bytes of the content of answers.", by: Route.self)
        inFlight = registry.gauge("ntk_http_requests_in_flight", "Requests that are being answered.")
        refusals = registry.counters(
            "ntk_http_refusals_total", "Requests refused for who asked, or for how often.", by: Refusal.self)
    }
}
