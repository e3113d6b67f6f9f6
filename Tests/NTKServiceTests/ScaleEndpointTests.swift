import Foundation
import NTKService
import TensorFormats
import TestSupport
import Testing

/// No answer depends on the units of a row, of the targets or of the ridge, whichever endpoint and whichever way of solving it takes.
struct ScaleEndpointTests {
    private let client = ServiceClient()

    private static func json(_ values: [Double]) -> String { "[" + values.map { "\($0)" }.joined(separator: ",") + "]" }
    private static func json(_ rows: [[Double]]) -> String { "[" + rows.map(json).joined(separator: ",") + "]" }

    private func numbers(_ path: String, _ body: String, _ member: String) async throws -> [Double] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.array(member).elements
    }

    private static func expectClose(_ own: [Double], _ right: [Double], _ tolerance: Double, _ comment: String = "") {
        #expect(own.count == right.count)
        for (own, right) in zip(own, right) { #expect(abs(own - right) <= tolerance * abs(right), "\(comment) \(own) for \(right)") }
    }

    private static let ways = ["", #","on_singular":"jitter""#, #","on_singular":"refuse""#]

    /// Two points that know nothing of each other, in units 10⁸ apart.
    @Test func pointsInUnitsOfTheirOwn() async throws {
        let kernel = #""kernel":{"matrices":{"train_train":[[1e16,0],[0,1]],"test_train":[[1e16,0],[0,1]]}}"#
        for way in Self.ways {
            let answer = try await client.post("/v1/predictions", #"{\#(kernel),"y_train":[1,2]\#(way)}"#)
            Self.expectClose(try answer.array("mean").elements, [1, 2], 1e-15, way)
            #expect(answer.text.contains(#""rank":2"#) && answer.text.contains(#""jitter":0"#), "\(answer.text)")
        }
        let selected = #"{\#(kernel),"y_train":[1,2],"ridge":{"select":"leave_one_out","candidates":[1e-9,1e-6]}}"#
        Self.expectClose(try await numbers("/v1/predictions", selected, "mean"), [1, 2 / (1 + 1e-9)], 1e-15)
        let scores = try await numbers("/v1/predictions", #"{\#(kernel),"labels":["a","b"]}"#, "scores")
        Self.expectClose(scores, [0.5, -0.5, -0.5, 0.5], 1e-15)
        let means = try await numbers("/v1/dynamics", #"{\#(kernel),"y_train":[1,2],"times":[1,1e30]}"#, "mean")
        Self.expectClose(means, [1, 2 * (1 - exp(-0.5)), 1, 2], 1e-14)
        let spectrum = try await client.post(
            "/v1/spectra", #"{"kernel":{"matrices":{"train_train":[[1e16,0],[0,1]]}},"y":[1,2]}"#)
        Self.expectClose(try spectrum.array("eigenvalues").elements, [1e16, 1], 1e-15)
        #expect(spectrum.text.contains(#""rkhs_norm":2,"#), "\(spectrum.text)")
    }

    @Test func pointsOfVeryDifferentNorm() async throws {
        let training = #""kernel":{"architecture":{"type":"mlp","depth":1},"kind":"ntk"},"x_train":[[1e8,0],[0,0.5]],"x_test":[[0,0.5]]"#
        for way in Self.ways + [#","solver":"conjugate_gradient""#] {
            let mean = try await numbers("/v1/predictions", #"{\#(training),"y_train":[1,2],"ridge":0.001\#(way)}"#, "mean")
            Self.expectClose(mean, [1.98371782509723], way.contains("solver") ? 1e-8 : 1e-13, way)
        }
        Self.expectClose(
            try await numbers("/v1/dynamics", #"{\#(training),"y_train":[1,2],"times":[1e30]}"#, "mean"), [2], 1e-14)
    }

    /// A row of a no-data marker is one row: the others are fitted as if it were not there, but for one direction.
    @Test(arguments: [1e7, 1e12, 1e100])
    func markers(marker: Double) async throws {
        var generator = SeededGenerator(seed: 5)
        func point() -> [Double] { (0..<3).map { _ in Double.random(in: -2...2, using: &generator) } }
        let x = (0..<20).map { $0 == 7 ? [marker, marker, marker] : point() }
        let y = (0..<20).map { _ in Double.random(in: -2...2, using: &generator) }
        // What is predicted at the marker itself is a sum of parts of its own size.
        let others = (0..<20).filter { $0 != 7 }
        let kernel = #"{"architecture":{"type":"mlp","depth":2,"w_std":1.3,"b_std":0.1},"kind":"ntk"}"#
        let training =
            #""kernel":\#(kernel),"x_train":\#(Self.json(x)),"y_train":\#(Self.json(y)),"x_test":\#(Self.json(others.map { x[$0] }))"#
        let exact = try await numbers("/v1/predictions", "{\(training)}", "mean")
        Self.expectClose(exact, others.map { y[$0] }, 1e-10)
        let trained = try await numbers("/v1/dynamics", #"{\#(training),"times":[1e200]}"#, "mean")
        Self.expectClose(trained, others.map { y[$0] }, 1e-10)
        // With a ridge what is left is λα: the direct and the iterative way, the regressor and the kernel that is given agree.
        let architecture = #"{"type":"mlp","depth":2,"w_std":1.3,"b_std":0.1}"#
        let entries = try await numbers(
            "/v1/kernels", #"{"architecture":\#(architecture),"x1":\#(Self.json(x)),"kinds":["ntk"]}"#, "ntk")
        let rows = (0..<20).map { Array(entries[$0 * 20..<$0 * 20 + 20]) }
        for ridge in [1e-3, 1] {
            let own = try await numbers("/v1/predictions", #"{\#(training),"ridge":\#(ridge)}"#, "mean")
            #expect(own.map(abs).max() ?? 0 > 0.3)
            // In units of the marker's own, where nothing is extreme.
            let unit = (rows[7][7] + ridge).squareRoot()
            func scale(_ row: Int) -> Double { row == 7 ? unit : 1 }
            // (K + λI) with row and column 7 divided by its unit: the ridge, too, so that it is put into the matrix.
            let scaled = (0..<20).map { i in (0..<20).map { j in (rows[i][j] + (i == j ? ridge : 0)) / scale(i) / scale(j) } }
            let cross = others.map { i in (0..<20).map { rows[i][$0] / scale($0) } }
            let matrices = #"{"matrices":{"train_train":\#(Self.json(scaled)),"test_train":\#(Self.json(cross))}}"#
            let right = try await numbers(
                "/v1/predictions", #"{"kernel":\#(matrices),"y_train":\#(Self.json(y.enumerated().map { $1 / scale($0) }))}"#, "mean")
            Self.expectClose(own, right, 1e-9)
            let iterated = try await numbers("/v1/predictions", #"{\#(training),"ridge":\#(ridge),"solver":"conjugate_gradient"}"#, "mean")
            Self.expectClose(iterated, own, 1e-5)
        }
    }

    /// sin x + sin 2x on [−10π, 10π]: all points differ, so that nothing is out of reach, and what is between them is what K⁻¹ says to some
    /// digits though its condition is near 1/ε. Right values from 500 digits.
    @Test(arguments: [(40, 2.0067), (45, 1.9291), (48, 1.1230), (50, 0.71607), (60, 0.22009)])
    func sineOfAnAllButSingularKernel(count: Int, error: Double) async throws {
        func target(_ x: Double) -> Double { sin(x) + sin(2 * x) }
        let x = (0..<count).map { -10 * Double.pi + 20 * Double.pi * Double($0) / Double(count - 1) }
        let between = zip(x, x.dropFirst()).map { ($0 + $1) / 2 }
        let kernel = #"{"architecture":{"type":"mlp","depth":2,"activation":"relu","w_std":1.5,"b_std":0.05},"kind":"nngp"}"#
        let answer = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(kernel),"x_train":\#(Self.json(x.map { [$0] })),"y_train":\#(Self.json(x.map(target))),"x_test":\#(Self.json(between.map { [$0] }))}"#
        )
        #expect(answer.text.contains(#""rank":\#(count),"#) && answer.text.contains(#""unreachable_targets":0,"#), "\(answer.text.suffix(600))")
        let worst = try zip(answer.array("mean").elements, between).map { abs($0 - target($1)) }.max() ?? 0
        #expect(abs(worst - error) < 0.05, "\(worst)")
    }

    /// k(x*, x*) − k*ᵀK⁻¹k* = −1.5 is no variance.
    @Test func negativeVariancesAreNamed() async throws {
        for (prior, kind, pointer) in [("[0.5]", "diagonal", "/0"), ("[[0.5]]", "full", "/0/0")] {
            let kernel = #"{"matrices":{"train_train":[[2,0],[0,2]],"test_train":[[2,0]],"test_test":\#(prior)}}"#
            let answer = try await client.post("/v1/predictions", #"{"kernel":\#(kernel),"y_train":[1,2],"covariance":"\#(kind)"}"#)
            #expect(try answer.status == 422 && answer.pointers == ["/kernel/matrices/test_test" + pointer], "\(answer.text)")
        }
    }

    /// Targets in other units have predictions and deviations in those units; a best ridge at the end of the grid is told.
    @Test(arguments: ["leave_one_out", "gcv", "marginal_likelihood"])
    func unitsOfTargets(criterion: String) async throws {
        func ask(_ unit: Double, _ more: String) async throws -> (mean: Double, ridge: String, text: String) {
            let y = [0, unit, 0, 2 * unit]
            let answer = try await client.post(
                "/v1/predictions",
                #"{"kernel":{"architecture":{"type":"mlp","depth":2,"b_std":0.1},"kind":"ntk"},"x_train":[[0],[1],[2],[3]],"y_train":\#(Self.json(y)),"x_test":[[0.5]],"ridge":{"select":"\#(criterion)"\#(more)}}"#
            )
            let ridge = answer.text.firstMatch(of: /"ridge":([^,]*),/)?.1
            return (try answer.array("mean").elements[0] / unit, String(ridge ?? ""), answer.text)
        }
        let plain = try await ask(1, "")
        for unit in [1_000, 1e-3, 0x1p300, 0x1p-300] {
            let other = try await ask(unit, "")
            #expect(abs(other.mean - plain.mean) < 1e-12 * abs(plain.mean) && other.ridge == plain.ridge, "\(unit)")
        }
        let ends = try await [ask(1, #","candidates":[1e3,1e4,1e5]"#), ask(1, #","candidates":[1e-9,1e-8,1e-7]"#)]
        #expect(ends.allSatisfy { $0.text.contains("candidate: a ") }, "\(ends.map(\.text))")
    }

    /// Rows, columns, targets and the ridge of a kernel times powers of two from 2^−498 to 2^498.
    @Test(arguments: 0..<30)
    func powersOfTwo(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let n = 6
        let factor = (0..<n + 2).map { _ in (0..<n + 2).map { _ in Double.random(in: -1...1, using: &generator) } }
        let joint = factor.map { a in factor.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
        let y = (0..<n).map { _ in Double.random(in: -1...1, using: &generator) }
        func ask(_ rows: [Int], _ tests: [Int], _ targets: [Int], _ ridge: Double) async throws -> (mean: [Double], variance: [Double]) {
            let powers = rows + tests
            func part(_ i: Int, _ j: Int) -> Double { joint[i][j] * Double(sign: .plus, exponent: powers[i] + powers[j], significand: 1) }
            let train = (0..<n).map { i in (0..<n).map { part(i, $0) } }
            let cross = (n..<n + 2).map { i in (0..<n).map { part(i, $0) } }
            let prior = Self.json((n..<n + 2).map { part($0, $0) })
            let kernel = #"{"matrices":{"train_train":\#(Self.json(train)),"test_train":\#(Self.json(cross)),"test_test":\#(prior)}}"#
            let scaled = zip(y, targets).map { $0 * Double(sign: .plus, exponent: $1, significand: 1) }
            let answer = try await client.post(
                "/v1/predictions", #"{"kernel":\#(kernel),"y_train":\#(Self.json(scaled)),"covariance":"diagonal","ridge":\#(ridge)}"#)
            #expect(answer.status == 200, "\(answer.text)")
            return (try answer.array("mean").elements, try answer.array("variance").elements)
        }
        let zeros = [Int](repeating: 0, count: n)
        func power() -> Int { Int.random(in: -498...498, using: &generator) }
        let (rows, tests, unit) = (zeros.map { _ in power() }, [power(), power()], power())
        // The targets go with their rows, as far as float64 goes.
        let own = rows.map { $0 + unit / 4 }
        for ridge in [0, 0.125] {
            let plain = try await ask(zeros, [0, 0], zeros, ridge)
            // A ridge has the unit of all rows.
            let (scales, targets) = ridge == 0 ? (rows, own) : (zeros.map { _ in unit }, zeros.map { _ in unit / 2 })
            let scaled = try await ask(scales, tests, targets, ridge * Double(sign: .plus, exponent: 2 * unit, significand: 1))
            let shift = targets[0] - scales[0]
            for test in 0..<2 {
                let mean = plain.mean[test] * Double(sign: .plus, exponent: tests[test] + shift, significand: 1)
                #expect(abs(scaled.mean[test] - mean) <= 1e-9 * abs(mean), "\(scaled.mean[test]) for \(mean)")
                let prior = joint[n + test][n + test]
                let variance = scaled.variance[test] * Double(sign: .plus, exponent: -2 * tests[test], significand: 1)
                #expect(abs(variance - plain.variance[test]) <= 1e-9 * prior, "\(variance) for \(plain.variance[test])")
            }
        }
    }

    /// A regressor answers the bits of `/v1/predictions`, whatever chose its ridge, and a test point has its bits in any company
    /// and order.
    @Test(arguments: ["0.001", #"{"select":"leave_one_out"}"#, #"{"select":"gcv"}"#, #"{"select":"marginal_likelihood"}"#])
    func bits(ridge: String) async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        for count in [3, 21, 70] {
            var generator = SeededGenerator(seed: UInt64(count))
            func points(_ count: Int) -> [[Double]] { (0..<count).map { _ in (0..<2).map { _ in Double.random(in: -2...2, using: &generator) } } }
            let (x, test) = (points(count), points(33))
            let y = points(count).map { $0[0] }
            let training = #""x_train":\#(Self.json(x)),"y_train":\#(Self.json(y)),"ridge":\#(ridge)"#
            let fit = #""kernel":{"architecture":{"type":"mlp","depth":2,"b_std":0.1},"kind":"ntk"},\#(training)"#
            let id = try RegressorEndpointTests.id(try await client.post("/v1/regressors", "{\(fit)}"))
            func ask(_ test: [[Double]]) async throws -> (mean: [Double], variance: [Double]) {
                let direct = try await client.post("/v1/predictions", #"{\#(fit),"x_test":\#(Self.json(test)),"covariance":"diagonal"}"#)
                let stored = try await client.post("/v1/regressors/\(id)/predictions", #"{"x":\#(Self.json(test)),"covariance":"diagonal"}"#)
                #expect(stored.status == 200 && direct.text.hasPrefix(stored.text.dropLast()), "\(stored.text) \(direct.text)")
                return (try direct.array("mean").elements, try direct.array("variance").elements)
            }
            let (all, reversed) = (try await ask(test), try await ask(test.reversed()))
            #expect(all.mean == reversed.mean.reversed() && all.variance == reversed.variance.reversed())
            for index in [0, 5, 32] {
                let one = try await ask([test[index]])
                #expect(one.mean == [all.mean[index]] && one.variance == [all.variance[index]])
            }
            let full = try await client.post("/v1/regressors/\(id)/predictions", #"{"x":\#(Self.json(test)),"covariance":"full"}"#)
            let covariance = try full.array("covariance").elements
            #expect(test.indices.map { covariance[$0 * (test.count + 1)] } == all.variance)
        }
    }
}
