import Foundation
import TensorFormats
import TestSupport
import Testing

/// Random requests, sensible and not: every answer is one that openapi.yaml knows, never a fault of the server, and all numbers are finite.
struct HostileRegressionTests {
    static let numbers = ["0", "1", "-1", "0.5", "2", "1e-300", "-1e-300", "1e300", "-1e300", "1e154", "5e-324", "1e-8", "3", "1e16", "0.1", "7"]

    /// Ten thousand by default; `NTK_HOSTILE_SEED` begins elsewhere.
    @Test func tenThousandRequests() async throws {
        let seed = ProcessInfo.processInfo.environment["NTK_HOSTILE_SEED"].flatMap { UInt64($0) } ?? 1
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        var statuses: [Int: Int] = [:]
        for index in 0..<10_000 {
            var random = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(index))
            let path = ["/v1/predictions", "/v1/predictions", "/v1/dynamics", "/v1/spectra"].randomElement(using: &random) ?? ""
            let request = index % 20 == 0 ? Self.request("/v1/predictions", &random, test: false) : Self.request(path, &random, test: true)
            let answer = try await client.post(index % 20 == 0 ? "/v1/regressors" : path, request)
            statuses[answer.status, default: 0] += 1
            let isKnown = [200, 201, 400, 422].contains(answer.status)
            #expect(isKnown, "seed \(seed), request \(index): \(answer.status) to \(path) \(request)\n\(answer.text.prefix(500))")
            if !isKnown { return }
            // JSON has no NaN and no Infinity: what can be read back has none.
            #expect(throws: Never.self, "seed \(seed), request \(index): \(request)\n\(answer.text.prefix(500))") { try JSONValue.parse(answer.body) }
        }
        #expect((statuses[200] ?? 0) > 1_000 && (statuses[422] ?? 0) > 1_000 && (statuses[201] ?? 0) > 20, "\(statuses)")
    }

    static func request(_ path: String, _ random: inout SeededGenerator, test: Bool) -> String {
        func pick(_ values: [String]) -> String { values.randomElement(using: &random) ?? "" }
        func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
        // Mostly tame numbers, so that not every request fails at the first of them.
        let tame = chance(2)
        func number() -> String { tame || !chance(3) ? String(Double(Int.random(in: -8...8, using: &random)) / 4) : pick(numbers) }
        func list(_ count: Int) -> String { "[" + (0..<count).map { _ in number() }.joined(separator: ",") + "]" }
        func matrix(_ rows: Int, _ columns: Int) -> String { "[" + (0..<rows).map { _ in list(columns) }.joined(separator: ",") + "]" }
        var n = Int.random(in: 1...7, using: &random)
        let d = Int.random(in: 1...3, using: &random)
        let t = Int.random(in: 1...3, using: &random)
        let k = Int.random(in: 1...2, using: &random)
        let points = path == "/v1/spectra" ? "x" : "x_train"
        let values = path == "/v1/spectra" ? "y" : "y_train"
        var fields: [String] = []
        if chance(4) {
            let rows = (0..<n).map { _ in (0..<n).map { _ in Double(Int.random(in: -3...3, using: &random)) } }
            // G Gᵀ: often singular; or any matrix.
            let gram = (0..<n).map { i in (0..<n).map { j in (0..<n).reduce(0) { $0 + rows[i][$1] * rows[j][$1] } } }
            let scale = chance(3) ? (Double(pick(numbers)) ?? 1) : 1
            let gramText = gram.map { row in "[" + row.map { String($0 * scale) }.joined(separator: ",") + "]" }.joined(separator: ",")
            let train = chance(5) ? matrix(n, n) : "[\(gramText)]"
            let tests = test && path != "/v1/spectra" ? #","test_train":\#(matrix(t, n)),"test_test":\#(chance(2) ? list(t) : matrix(t, t))"# : ""
            fields.append(#""kernel":{"matrices":{"train_train":\#(train)\#(tests)}}"#)
        } else {
            let bias = chance(2) ? #","b_std":\#(number())"# : ""
            let weight = chance(3) ? #","w_std":\#(number())"# : ""
            let activation = pick(["relu", "erf", "relu"])
            let architecture = #"{"type":"mlp","depth":\#(Int.random(in: 0...3, using: &random)),"activation":"\#(activation)"\#(bias)\#(weight)}"#
            fields.append(#""kernel":{"architecture":\#(architecture),"kind":"\#(pick(["ntk", "nngp"]))"}"#)
            var rows = (0..<n).map { _ in list(d) }
            if chance(3) { rows.append(rows[0]) }
            if chance(6) { rows = rows.map { _ in rows[0] } }
            n = rows.count
            fields.append("\"\(points)\":[\(rows.joined(separator: ","))]")
            if test && path != "/v1/spectra" { fields.append(#""x_test":\#(matrix(t, chance(12) ? d + 1 : d))"#) }
        }
        let targets = [
            "\"\(values)\":" + (chance(3) ? matrix(n, k) : list(n)),
            #""labels":["# + (0..<n).map { _ in pick(["1", "2", "\"a\"", "\"b\""]) }.joined(separator: ",") + "]",
            "\"\(values)\":" + list(n),
        ]
        fields.append(targets.randomElement(using: &random) ?? "")
        switch path {
        case "/v1/dynamics":
            fields.append(#""times":\#(chance(4) ? list(3) : pick(["[0,1,10]", "[0]", "[1e9]", "[3,1e15]", "[1e300]"]))"#)
            let optimizer = pick(["gradient_flow", "gradient_descent", "heavy_ball"])
            let rate = pick(["0.1", "1", "1e-9", "10", "1e300"])
            if chance(2) { fields.append(#""optimizer":{"type":"\#(optimizer)","learning_rate":\#(rate)}"#) }
            if chance(3) { fields.append(#""covariance":"\#(pick(["diagonal", "full"]))""#) }
            if chance(3) { fields.append(#""target_loss":\#(number())"#) }
        case "/v1/spectra":
            if chance(2) { fields.append(#""ridge":\#(number())"#) }
            if chance(3) { fields.append(#""sample_sizes":\#(pick(["[1]", "[1,2,3]", "[1e15]", "[]", "[0]"])),"noise":\#(number())"#) }
        default:
            let criterion = pick(["leave_one_out", "gcv", "marginal_likelihood"])
            let select = #"{"select":"\#(criterion)","candidates":\#(chance(2) ? "[1e-8,0.1,1]" : list(2))}"#
            if chance(2) { fields.append(#""ridge":\#(chance(2) ? select : pick(["0", "0.1", "1e-300", "1e300", "1e-12", number()]))"#) }
            if chance(3) { fields.append(#""ridge_scale":"relative""#) }
            if chance(3) { fields.append(#""on_singular":"\#(pick(["jitter", "refuse"]))""#) }
            if chance(4) { fields.append(#""posterior":"ensemble""#) }
            if chance(6) { fields.append(#""solver":"\#(pick(["conjugate_gradient", "direct"]))""#) }
            if chance(4) { fields.append(#""diagnostics":"\#(pick(["fast", "complete"]))""#) }
            if test && chance(2) { fields.append(#""covariance":"\#(pick(["diagonal", "full"]))""#) }
        }
        if chance(40) {
            let value = pick(["null", "[]", "{}", "true", "\"\"", "[[]]"])
            fields.append(#""\#(pick(["x_test", "ridge", "kernel", "nothing"]))":\#(value)"#)
        }
        return "{" + fields.joined(separator: ",") + "}"
    }
}
