import Metrics
import Testing

private enum Color: String, SingleLabel {
    static let name: StaticString = "color"
    case red, green
}

private struct Pair: LabelSet {
    static let names: [StaticString] = ["first", "second"]
    var first: LabelValue
    var second: Color
    var values: [LabelValue] { [first, LabelValue(second)] }
}

@Suite struct MetricRegistryTests {
    private let registry = MetricRegistry()
    private var text: String { String(decoding: registry.text().bytes, as: UTF8.self) }

    @Test func countersAndGauges() {
        let counter = registry.counter("a_total", "What a backslash \\ does.")
        counter.increment()
        counter.increment(by: 41)
        counter.increment(by: -7)
        let gauge = registry.gauge("b", "Goes up and down.")
        gauge.add(5)
        gauge.decrement()
        #expect(
            text == """
                # HELP a_total What a backslash \\\\ does.
                # TYPE a_total counter
                a_total 42
                # HELP b Goes up and down.
                # TYPE b gauge
                b 4

                """)
    }

    @Test func rangesAreCumulativeAndIncludeTheirUpperEnd() {
        let histogram = registry.histogram("h_seconds", "Times.", bounds: [0.1, 1])
        for value in [0.1, 0.100001, 1, 7, .nan, .infinity] { histogram.observe(value) }
        #expect(
            text == """
                # HELP h_seconds Times.
                # TYPE h_seconds histogram
                h_seconds_bucket{le="0.1"} 1
                h_seconds_bucket{le="1"} 3
                h_seconds_bucket{le="+Inf"} 4
                h_seconds_sum 8.200001
                h_seconds_count 4

                """)
    }

    @Test func labelsAreEscapedSortedAndShownFromTheStart() {
        _ = registry.counters("c_total", "Colors.", by: Color.self)
        let pairs = registry.counters("p_total", "Pairs.", by: Pair.self)
        pairs[Pair(first: LabelValue("z"), second: .red)].increment()
        pairs[Pair(first: LabelValue("quote \" backslash \\ line \n"), second: .green)].increment(by: 2)
        pairs[Pair(first: LabelValue("z"), second: .red)].increment()
        #expect(text.contains("c_total{color=\"green\"} 0\nc_total{color=\"red\"} 0\n"))
        #expect(
            text.contains(
                #"p_total{first="quote \" backslash \\ line \n",second="green"} 2"# + "\n" + #"p_total{first="z",second="red"} 2"# + "\n"))
    }

    @Test func nothingIsLostAmongThreads() async {
        let histogram = registry.histogram("h", "Ones.", bounds: [2])
        let counters = registry.counters("c_total", "Colors.", by: Color.self)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<2_000 {
                        histogram.observe(1)
                        counters[task % 2 == 0 ? .red : .green].increment()
                    }
                }
            }
        }
        #expect(text.contains("h_sum 16000\nh_count 16000\n"))
        #expect(text.contains("c_total{color=\"green\"} 8000\nc_total{color=\"red\"} 8000\n"))
    }

    /// A word that a client made up is none of the labels.
    @Test func foreignWordsMakeNoSeries() {
        let metrics = ServerMetrics()
        let words = (0..<1_000).map { "BREW\($0)" }
        for word in words {
            metrics.http.requests[.init(route: LabelValue("/v1/kernels"), method: .init(word), status: 501)].increment()
        }
        for status in [-1, 0, 99, 600, 10_000] {
            metrics.http.requests[.init(route: LabelValue("/v1/kernels"), method: .get, status: status)].increment()
        }
        let lines = String(decoding: metrics.registry.text().bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains(#"ntk_http_requests_total{route="/v1/kernels",method="other",status="501"} 1000"#))
        #expect(lines.contains(#"ntk_http_requests_total{route="/v1/kernels",method="GET",status="500"} 5"#))
        #expect(!lines.contains { $0.contains("BREW") })
    }

    @Test func theProcessIsDescribed() throws {
        ProcessMetrics.register(in: registry)
        var values: [Substring: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            values[parts[0]] = Double(parts[1])
        }
        #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_open_fds"]) >= 3)
        #expect(try #require(values["process_max_fds"]) >= 3)
        #expect(try #require(values["process_cpu_seconds_total"]) >= 0)
        #expect(try #require(values["process_start_time_seconds"]) > 1_700_000_000)
    }
}
