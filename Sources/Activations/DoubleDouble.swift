import Glibc

/// A sum of two float64 numbers, the second below an ulp of the first: 106 bits, and the range of float64 down to about 1e-270.
///
/// Source: Hida, Li, Bailey 2001, "Algorithms for quad-double precision floating point arithmetic".
struct DoubleDouble: Sendable, DualNumber {
    private(set) var high, low: Double

    init(_ value: Double) {
        high = value
        low = 0
    }

    /// - Parameter low: at most an ulp of `high`.
    private init(_ high: Double, _ low: Double) {
        self.high = high + low
        self.low = low - (self.high - high)
    }

    /// The exact sum.
    init(sum a: Double, _ b: Double) {
        high = a + b
        let part = high - a
        low = (a - (high - part)) + (b - part)
    }

    /// The exact product.
    init(product a: Double, _ b: Double) {
        high = a * b
        low = (-high).addingProduct(a, b)
    }

    var double: Double { high + low }

    static func + (a: Self, b: Self) -> Self {
        let sum = DoubleDouble(sum: a.high, b.high)
        let rest = DoubleDouble(sum: a.low, b.low)
        let first = DoubleDouble(sum.high, sum.low + rest.high)
        return DoubleDouble(first.high, first.low + rest.low)
    }

    static prefix func - (a: Self) -> Self {
        var a = a
        (a.high, a.low) = (-a.high, -a.low)
        return a
    }

    static func - (a: Self, b: Self) -> Self { a + -b }

    static func * (a: Self, b: Self) -> Self {
        let product = DoubleDouble(product: a.high, b.high)
        return DoubleDouble(product.high, product.low + (a.high * b.low + a.low * b.high))
    }

    static func / (a: Self, b: Self) -> Self {
        let first = a.high / b.high
        guard first.isFinite else { return DoubleDouble(first) }
        let rest = a - b * DoubleDouble(first)
        let second = rest.high / b.high
        let third = (rest - b * DoubleDouble(second)).high / b.high
        return DoubleDouble(first, second) + DoubleDouble(third)
    }

    /// A multiple by a power of two, which is exact.
    func scaled(_ power: Double) -> Self {
        var result = self
        (result.high, result.low) = (high * power, low * power)
        return result
    }

    func squareRoot() -> Self {
        guard high > 0 else { return DoubleDouble(high == 0 ? 0 : .nan) }
        let root = high.squareRoot()
        guard root.isFinite else { return DoubleDouble(root) }
        let rest = self - DoubleDouble(product: root, root)
        return DoubleDouble(root, rest.high / (2 * root))
    }

    private static let log2 = DoubleDouble(0.6931471805599453, 2.3190468138462996e-17)

    /// 1/k!
    private static let inverseFactorials: [DoubleDouble] = {
        var terms = [DoubleDouble(1)]
        for k in 1...28 { terms.append(terms[k - 1] / DoubleDouble(Double(k))) }
        return terms
    }()

    /// exp(x) − 1 for |x| ≤ 0.4.
    private static func series(_ x: Self) -> Self {
        var sum = inverseFactorials[26]
        for k in stride(from: 25, through: 1, by: -1) { sum = sum * x + inverseFactorials[k] }
        return sum * x
    }

    static func exp(_ x: Self) -> Self {
        guard abs(x.high) < 700 else { return DoubleDouble(Glibc.exp(x.high)) }
        let count = (x.high / 0.6931471805599453).rounded()
        let rest = x - log2 * DoubleDouble(count)
        return (series(rest) + DoubleDouble(1)).scaled(scalbn(1.0, Int32(count)))
    }

    static func expm1(_ x: Self) -> Self { abs(x.high) < 0.35 ? series(x) : exp(x) - DoubleDouble(1) }

    /// sin and cos for |x| ≤ π/2, by their series after halving.
    private static func sineAndCosine(_ x: Double) -> (sine: Self, cosine: Self) {
        let part = DoubleDouble(x / 4)
        let square = part * part
        var (sine, versine) = (inverseFactorials[23], inverseFactorials[22])
        for k in stride(from: 21, through: 1, by: -2) { sine = inverseFactorials[k] - square * sine }
        for k in stride(from: 20, through: 2, by: -2) { versine = inverseFactorials[k] - square * versine }
        sine = sine * part
        // 1 − cos, doubled twice: sin 2x = 2 sin x cos x, 1 − cos 2x = 2 sin² x.
        versine = versine * square
        for _ in 0..<2 {
            let next = sine * (DoubleDouble(1) - versine)
            versine = (sine * sine).scaled(2)
            sine = next.scaled(2)
        }
        return (sine, DoubleDouble(1) - versine)
    }

    /// The angle of (x, y) with x² + y² = 1 and x ≥ 0, by a step of Newton's method from float64.
    static func angle(_ y: Self, _ x: Self) -> Self {
        let start = Glibc.atan2(y.high, x.high)
        let (sine, cosine) = sineAndCosine(start)
        let step = y * cosine - x * sine
        return DoubleDouble(start) + step
    }
}

/// The arithmetic of duals: float64, and twice its digits where pairs nearly coincide.
protocol DualNumber {
    init(_ value: Double)
    var double: Double { get }
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    static prefix func - (a: Self) -> Self
    func squareRoot() -> Self
    static func exp(_ x: Self) -> Self
    static func expm1(_ x: Self) -> Self
    /// The angle of (x, y) with x² + y² = 1 and x ≥ 0.
    static func angle(_ y: Self, _ x: Self) -> Self
}

extension Double: DualNumber {
    var double: Double { self }
    static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    static func expm1(_ x: Double) -> Double { Glibc.expm1(x) }
    static func angle(_ y: Double, _ x: Double) -> Double { Glibc.atan2(y, x) }
}
