import Foundation
import Testing

@testable import NTK

/// Duals against two-dimensional quadrature in 20 digits (`Golden/generate_duals.py`), also at coinciding points, antipodes and zero.
struct DualGoldenTests {
    static let functions: [String: Activation] = {
        var functions: [String: Activation] = [
            "tanh": .tanh, "sigmoid": .sigmoid, "softplus": .softplus, "swish": .swish, "mish": .mish, "elu": .elu(alpha: 1, scale: 1),
            "gelu": .gelu(approximate: false), "polynomial": .polynomial([1.3, 0, -1.2, -0.5]),
        ]
        for degree in 0...4 { functions["rectified_monomial \(degree)"] = .rectifiedMonomial(degree: degree) }
        return functions
    }()

    static func pair(_ activation: Activation, _ q1: Double, _ q2: Double, gap: Double, isFar: Bool) throws -> (
        kappa: Double, dot: Double, own: [Double]
    ) {
        let dual = try DualActivation(activation)
        let points = unsafe [q1, q2].withUnsafeBufferPointer { unsafe dual.points($0) }
        var (gaps, kappa, dot) = ([isFar ? -gap : gap], [0.0], [0.0])
        unsafe dual.pairs(points, 0, ownStride: 0, points, 1, count: 1, gaps: &gaps, covariance: &kappa, derivative: &dot)
        return (kappa[0], dot[0], points.kappa)
    }

    @Test func agreeWithQuadrature() throws {
        let url = try #require(Bundle.module.url(forResource: "Golden/duals", withExtension: "json"))
        let root = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        for item in cases {
            let name = try #require(item["activation"] as? String)
            func number(_ field: String) throws -> Double { try #require(item[field] as? Double) }
            let activation = try #require(Self.functions[name])
            let isFar = try #require(item["far"] as? Bool)
            let (kappa, dot, own) = try Self.pair(activation, number("q1"), number("q2"), gap: number("gap"), isFar: isFar)
            let scale = try (number("own1") * number("own2")).squareRoot()
            // Closed forms to rounding; series and quadrature to 1e-10. At zero variance there is no slope but by convention.
            let bound = ["gelu", "polynomial"].contains(name) || name.hasPrefix("rectified") ? 1e-13 : 1e-10
            #expect(try abs(kappa - number("kappa")) <= bound * max(scale, 1e-300), "\(item): \(kappa)")
            if try number("q1") > 0 {
                #expect(try abs(dot - number("kappa_dot")) <= 10 * bound * max(1, abs(number("kappa_dot"))), "\(item): \(dot)")
            }
            #expect(try abs(own[0] - number("own1")) <= bound * number("own1"))
        }
        #expect(cases.count >= 75)
    }

    /// An expression is the function it says, to the last digits; kinks away from zero are found.
    @Test(arguments: [
        ("x*tanh(log(1+exp(x)))", Activation.mish), ("max(x, 0)", .relu), ("abs(x)", .abRelu(a: -1, b: 1)),
        ("x/(1+exp(-x))", .swish), ("-(x^2) + 2*x - 1", .polynomial([-1, 2, -1])), ("erf(x)", .erf), ("max(x,0)^2", .rectifiedMonomial(degree: 2)),
        ("x*min(max(x/6 + 1/2, 0), 1)", .hardSwish),
    ])
    func expressions(text: String, activation: Activation) throws {
        let expression = Activation.elementwise(try Expression(text))
        for (q1, q2, gap, isFar) in [(1.0, 2.0, 0.5, false), (0.3, 0.3, 1e-5, false), (2.0, 0.7, 0.2, true), (1, 1, 0, true)] {
            let own = try Self.pair(expression, q1, q2, gap: gap, isFar: isFar)
            let known = try Self.pair(activation, q1, q2, gap: gap, isFar: isFar)
            let scale = (known.own[0] * known.own[1]).squareRoot()
            #expect(
                abs(own.kappa - known.kappa) <= 1e-10 * scale && abs(own.dot - known.dot) <= 1e-8,
                "\(text) \(q1) \(q2) \(gap) \(isFar): \(own), \(known)")
        }
    }

    @Test(arguments: [
        ("", 1), ("x +", 4), ("(x", 3), ("foo(x)", 1), ("x x", 3), ("max(x)", 6), ("1e999", 1), ("2..3", 1), ("x)", 2), ("sin x", 5), ("x*é", 3),
        (String(repeating: "(", count: 200) + "x", 51), (String(repeating: "-", count: 300) + "x", 101), (String(repeating: "x", count: 2000), 1001),
    ])
    func expressionErrorsHaveAColumn(text: String, column: Int) {
        let error = #expect(throws: ExpressionError.self) { try Expression(text) }
        #expect(error?.column == column, "\(error.map { "\($0.column): \($0.detail)" } ?? "")")
    }

    /// Every function, at variances from none to huge and at any correlation: a number, bounded by the points' own (Cauchy–Schwarz).
    @Test func neverNaN() throws {
        let all =
            Array(Self.functions.values) + [
                .sign, .relu, .erf, .sin(a: 1, b: 1, c: 0.3), .rbf(gamma: 0.5), .gaussian(a: 1, b: -1), .gabor, .hermite(degree: 3),
                .monomial(degree: 3),
                .expNormalized(gamma: 1, shift: -1), .selu,
            ]
        for activation in all {
            for q1 in [0, 1e-30, 1e-6, 1, 50] {
                for q2 in [0, 1e-12, 2, 1e4] {
                    for (gap, isFar) in [(0.0, false), (0, true), (1e-16, false), (1e-12, true), (0.3, false), (1, false), (1, true)] {
                        let (kappa, dot, own) = try Self.pair(activation, q1, q2, gap: gap, isFar: isFar)
                        let bound = (own[0] * own[1]).squareRoot()
                        #expect(kappa.isFinite && dot.isFinite, "\(activation) \(q1) \(q2) \(gap) \(isFar): \(kappa), \(dot)")
                        #expect(abs(kappa) <= bound * (1 + 1e-9) + 1e-300, "\(activation) \(q1) \(q2) \(gap) \(isFar): \(kappa) > \(bound)")
                    }
                }
            }
        }
    }

    @Test func slopesAreDifferenceQuotients() throws {
        for activation in Array(Self.functions.values) + [.sin(a: 1, b: 0.7, c: 0.2), .gabor, .hermite(degree: 4), .gelu(approximate: true)] {
            for x in [-2.3, -0.4, 0.6, 1.9] {
                let h = 1e-5
                let (left, right) = (try #require(activation.value(x - h)), try #require(activation.value(x + h)))
                let slope = try #require(activation.derivative(x))
                #expect(abs((right - left) / (2 * h) - slope) <= 1e-7 * max(1, abs(slope)), "\(activation) at \(x)")
            }
        }
    }
}
