import LinearAlgebra
import Testing

@testable import Activations

/// Duals of functions of straight pieces: right values in 32 digits by quadrature over one variable, with the other integrated out in closed form.
struct PiecewiseLinearTests {
    struct Case: CustomStringConvertible {
        let text: String
        let q1, q2, near: Double
        let isFar: Bool
        let kappa, dot, gap: Double
        /// √(κ11 κ22), and the same of slopes.
        let scale, slopeScale: Double

        init(
            _ text: String, _ q1: Double, _ q2: Double, _ near: Double, _ isFar: Bool, _ kappa: Double, _ dot: Double, _ gap: Double,
            _ scale: Double, _ slopeScale: Double
        ) {
            (self.text, self.q1, self.q2, self.near, self.isFar) = (text, q1, q2, near, isFar)
            (self.kappa, self.dot, self.gap, self.scale, self.slopeScale) = (kappa, dot, gap, scale, slopeScale)
        }

        var description: String { "\(text), \(q1), \(q2), \(isFar ? "-" : "")\(near)" }
    }

    static let cases: [Case] = [
        Case(
            "min(max(x,-1),1)", 1.3, 1.3, 0.4, false, 0.31107678114026075, 0.43183345355379679, 0.45097646389029247, 0.56660008302103182,
            0.61954487474961153),
        Case(
            "min(max(x,-1),1)", 0.5, 2.0, 0.7, true, -0.13241760862506793, 0.44698488131676357, -0.72864938168916474, 0.48799449748583965,
            0.6622881999275572),
        Case(
            "min(max(x,-1),1)", 30.0, 30.0, 1e-06, false, 0.90320281224242709, 0.14442514168145556, 4.8019786278640448e-6, 0.90320714942385515,
            0.14486785941529411),
        Case(
            "min(max(x,-1),1)", 900.0, 950.0, 0.02, true, -0.8713364838611412, 0.0034286160933652995, -0.11315034243091384, 0.98250754953159976,
            0.026234345270251932),
        Case(
            "min(max(x,-1),1)", 900000.0, 1000000.0, 0.3, false, 0.49363315822696856, 9.3966592978232434e-7, 0.50609701782051156, 0.99945369037593333,
            8.1918003227670629e-4),
        Case(
            "min(max(x,0),6)", 2.0, 3.0, 0.031, false, 1.1881355468015759, 0.46000162661421917, 0.029385919638660682, 1.2241070584503142,
            0.49986145974412955),
        Case(
            "min(max(x,0),6)", 40.0, 40.000001, 1e-09, false, 9.661514650328182, 0.32859748689380585, 1.3604549271749751e-9, 9.6615146634722372,
            0.32860914291777526),
        Case(
            "min(max(x/6+0.5,0),1)", 5.0, 0.1, 0.6, true, 0.24355521269562607, 0.022785764031138893, 0.17930259119897213, 0.29676615288872474,
            0.025158256890211176),
        Case(
            "min(max(x/6+0.5,0),1)", 50.0, 50.0, 0.029, false, 0.43322443713283209, 0.0071787860022710245, 0.025536350236964713, 0.44457731926499386,
            0.0091285210960868727),
        Case(
            "max(x-1,0)", 0.02, 0.02, 0.01, false, 4.4810411706557552e-16, 4.6848522698699759e-13, 0.20148042650324647, 5.6116860743100787e-16,
            7.6872989721401703e-13),
        Case(
            "max(x-1,0)", 0.02, 0.03, 0.5, false, 5.8290589139916374e-18, 4.8109319317271017e-15, 0.99990055151984979, 5.8613856191539652e-14,
            5.4628046870490385e-11),
        Case(
            "max(x-1,0)", 1.0, 1.0, 0.9, true, 0.0047072903021358706, 0.019610214552232037, 0.9375191951288631, 0.075339783343770753,
            0.15865525393145705),
        Case("abs(x-1)", 1.0, 7.0, 0.001, false, 3.7105828843715443, 0.61185352175164068, 0.072354278907113956, 4.0000000000000002, 1.0),
        Case("abs(x-1)", 100.0, 120.0, 0.2, true, 93.37569031214094, -0.57302626182426821, 0.1553428679808107, 110.54863183232979, 1.0),
        Case(
            "100+min(max(x,-1),1)", 1.0, 1.0, 0.5, false, 10000.238169165801, 0.49797177783920799, 2.7787504518162616e-5, 10000.516058550962,
            0.6826894921370859),
        Case(
            "max(abs(x)-0.5,0)+0.25*x", 1.0, 1.2, 0.0001, true, 0.40964925148501904, -0.55457219114639149, 0.25102182580634167, 0.54694417754701986,
            0.69490310849876128),
        Case(
            "max(x,0)-2*max(x-1,0)+max(x-2,0)", 0.8, 0.9, 0.1, false, 0.1329942619167513, 0.24924858924098929, 0.17446564694738966,
            0.16110082085012364, 0.48490340176814086),
    ]

    struct Result: Equatable {
        var kappa, dot, gap: Double
    }

    static func pair(_ activation: Activation, _ q1: Double, _ q2: Double, _ near: Double, _ isFar: Bool) throws -> (Result, [Double], Double) {
        let dual = try DualActivation(activation)
        let points = unsafe [q1, q2].withUnsafeBufferPointer { unsafe dual.points($0) }
        var (gaps, kappa, dot, gap) = ([isFar ? -near : near], [0.0], [0.0], [0.0])
        unsafe dual.pairs(
            points, 0, ownStride: 0, points, 1, count: 1, gaps: &gaps, covariance: &kappa, derivative: &dot, gapsBehind: &gap)
        return (Result(kappa: kappa[0], dot: dot[0], gap: gap[0]), points.kappa, points.errorEstimate)
    }

    @Test(arguments: cases)
    func agreesWithQuadrature(_ item: Case) throws {
        let activation = Activation.elementwise(try Expression(item.text))
        let (result, _, estimate) = try Self.pair(activation, item.q1, item.q2, item.near, item.isFar)
        #expect(abs(result.kappa - item.kappa) <= 3e-15 * item.scale)
        #expect(abs(result.dot - item.dot) <= 3e-15 * item.slopeScale)
        // Small gaps to their own digits.
        #expect(abs(result.gap - item.gap) <= 1e-12 * abs(item.gap), "\(result.gap)")
        #expect(estimate <= 1e-13)
    }

    /// The same function with a closed form, at all angles down to equal and opposite points, of equal, nearly equal and unequal variances.
    @Test(arguments: [
        ("max(x,0)", Activation.relu), ("abs(x)", .abRelu(a: -1, b: 1)), ("max(x, 0.25*x)", .abRelu(a: 0.25, b: 1)),
        ("-(x/2)", .polynomial([0, -0.5])), ("3*x+1", .polynomial([1, 3])),
    ])
    func agreesWithClosedForms(text: String, activation: Activation) throws {
        let expression = Activation.elementwise(try Expression(text))
        for near in [0.0, 1e-17, 1e-12, 1e-6, 1e-3, 0.02999999, 0.03000001, 0.2, 0.7, 1] {
            for isFar in [false, true] {
                for (q1, q2) in [(1.0, 1.0), (1, 1 + 1e-9), (0.3, 5), (1e-60, 1e-61), (1e60, 1e61)] {
                    let (own, kappa, _) = try Self.pair(expression, q1, q2, near, isFar)
                    let (known, _, _) = try Self.pair(activation, q1, q2, near, isFar)
                    let told = "\(text) \(q1) \(q2) \(near) \(isFar): \(own), \(known)"
                    #expect(abs(own.kappa - known.kappa) <= 2e-15 * (kappa[0] * kappa[1]).squareRoot(), "\(told)")
                    #expect(abs(own.dot - known.dot) <= 1e-14, "\(told)")
                    // What variances that nearly agree tell of their difference.
                    let rounding = 4e-16 * abs(known.gap).squareRoot()
                    #expect(abs(own.gap - known.gap) <= max(1e-12 * abs(known.gap), min(rounding, 1e-20), 1e-30), "\(told)")
                }
            }
        }
    }

    /// Both ways to a number, from right angles and from equal points, meet where one takes over from the other.
    @Test(arguments: ["max(x-1,0)", "min(max(x,-1),1)", "abs(x+2)-min(x,3)", "min(max(x/6+0.5,0),1)"], [1e-1, 1, 37, 1e6, 1e11])
    func bothWaysMeet(_ text: String, _ variance: Double) throws {
        let line = try #require(PiecewiseLinear(try Expression(text)))
        let (a, b) = (PiecewiseLinear.Point(line, root: (variance * 1.3).squareRoot()), PiecewiseLinear.Point(line, root: variance.squareRoot()))
        let border = KinkPairs(a, b, isFar: false).poleGap
        for isFar in [false, true] {
            let below = PiecewiseLinear.pair(a, b, near: border * (1 - 1e-15), isFar: isFar)
            let above = PiecewiseLinear.pair(a, b, near: border * (1 + 1e-15), isFar: isFar)
            #expect(abs(below.covariance - above.covariance) <= 3e-14 * a.norm * b.norm)
            #expect(abs(below.derivative - above.derivative) <= 3e-14 * a.slopeNorm * b.slopeNorm)
            // At right angles the sign of the gap is rounding.
            let (gap, other) = abs(above.gap) > 0.999 ? (abs(below.gap), abs(above.gap)) : (below.gap, above.gap)
            #expect(abs(gap - other) <= 3e-13 * abs(other), "\(below.gap), \(above.gap)")
        }
    }

    @Test func pairsAndTheirMirrorImagesHaveTheSameBits() throws {
        let activation = Activation.elementwise(try Expression("min(max(x-0.2,-1),1)"))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let (q1, q2) = (Double.random(in: 0...9, using: &generator), Double.random(in: 0...9, using: &generator))
            let near = [0, Double.random(in: 0...1, using: &generator), 1e-9].randomElement(using: &generator) ?? 0
            let isFar = Bool.random(using: &generator)
            #expect(try Self.pair(activation, q1, q2, near, isFar).0 == Self.pair(activation, q2, q1, near, isFar).0, "\(q1) \(q2) \(near) \(isFar)")
            let (own, kappa, _) = try Self.pair(activation, q1, q1, 0, false)
            #expect(own.kappa == kappa[0] && own.gap == 0)
        }
    }

    /// Where all kinks are far from a small point, the function is a line: κ = φ(0)² + φ'² E u v.
    @Test(arguments: [1e-3, 1e-4, 1e-6, 1e-20, 1e-200, 1e-300])
    func kinksFarFromSmallPoints(_ variance: Double) throws {
        for (text, offset) in [("max(x+1,0)", 1.0), ("min(max(x,-1),1)", 0), ("min(max(x+0.5,0),3)", 0.5), ("100+min(max(x,-1),1)", 100)] {
            let activation = Activation.elementwise(try Expression(text))
            for (near, isFar) in [(0.5, false), (1e-6, false), (0.01, true)] {
                let (result, kappa, _) = try Self.pair(activation, variance, 2 * variance, near, isFar)
                let covariance = 2.0.squareRoot() * variance * (isFar ? near - 1 : 1 - near)
                let told = "\(text) \(near) \(isFar): \(result)"
                #expect(abs(kappa[0] - (offset * offset + variance)) <= 4e-15 * kappa[0], "\(told), own \(kappa[0])")
                #expect(abs(result.kappa - (offset * offset + covariance)) <= 4e-15 * (kappa[0].squareRoot() * kappa[1].squareRoot()), "\(told)")
                #expect(abs(result.dot - 1) <= 4e-15, "\(told)")
            }
        }
    }

    /// Zero has no direction, and its own function is a constant.
    @Test func zero() throws {
        let activation = Activation.elementwise(try Expression("max(x+1,0)"))
        let (mixed, kappa, _) = try Self.pair(activation, 0, 1, 1, false)
        #expect(abs(mixed.kappa - 1.0833154705876862984) < 1e-15)
        #expect(kappa[0] == 1)
        let none = try Self.pair(.elementwise(try Expression("max(x,0)")), 0, 0, 1, false).0
        #expect(none.kappa == 0 && none.dot == 0.25)
    }

    @Test func kinksAreThoseOfTheFunction() throws {
        func kinks(_ text: String) throws -> [Double]? { PiecewiseLinear(try Expression(text))?.kinks }
        #expect(try kinks("min(max(x,0),6)") == [0, 6])
        #expect(try kinks("abs(abs(x)-1)") == [-1, 0, 1])
        // What is no kink of the whole is none.
        #expect(try kinks("max(x,0)+min(x,0)") == [])
        #expect(try kinks("max(x-1,0)-max(x-1,0)+x*2^0.5/exp(1)") == [])
        for text in ["tanh(x)", "max(x,0)^2", "x*max(x,0)", "abs(sin(x))", "1/max(x,1)", "x/abs(x)", "max(x^2,1)"] {
            #expect(try kinks(text) == nil, "\(text)")
        }
    }

    /// Where what kinks leave of each other has few digits, series and quadrature are asked.
    @Test func partsThatCancelAreLeftToQuadrature() throws {
        let dual = try NumericalDual(.elementwise(try Expression("max(x,0)-2*max(x-1,0)+max(x-2,0)")))
        #expect(dual.point(2).line != nil)
        #expect(dual.point(1e12).line == nil)
        #expect(dual.point(1e300).line == nil)
        // One of each kind meet.
        var polar = PolarDual(dual.table)
        let mixed = dual.pair(dual.point(2), dual.point(1e8), near: 0.5, isFar: false, &polar)
        let alone = PiecewiseLinear.pair(
            try #require(dual.lines.map { PiecewiseLinear.Point($0, root: 2.0.squareRoot()) }),
            try #require(dual.lines.map { PiecewiseLinear.Point($0, root: 1e4) }), near: 0.5, isFar: false)
        #expect(abs(mixed.covariance - alone.covariance) <= 1e-9 * dual.point(2).norm * dual.point(1e8).norm)
    }
}
