internal import LinearAlgebra

/// A function of single numbers, y = f(x).
enum UnaryFunction: Sendable {
    case relu
    case leakyRelu(Double)
    case elu(Double)
    case selu(alpha: Double, gamma: Double)
    case celu(Double)
    case thresholdedRelu(Double)
    case sigmoid
    case hardSigmoid(alpha: Double, beta: Double)
    case hardSwish, softplus, softsign, mish
    case swish(Double)
    case gelu, geluTanh, erf, tanh, exp, log, sqrt, reciprocal, negate, abs, square
    /// √x of a sum of squares: its derivative at 0 counts as 0.
    case norm
    case sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh
    case floor, ceil, round, sign
    case clip(low: Double, high: Double)
    case shrink(lambda: Double, bias: Double)
    case scale(Double)

    /// Whether the derivative is known from y alone.
    var slopeIsOfResult: Bool {
        switch self {
        case .relu, .sigmoid, .tanh, .exp, .sqrt, .reciprocal, .norm: true
        default: false
        }
    }

    var hasConstantSlope: Bool {
        switch self {
        case .negate, .floor, .ceil, .round, .sign, .scale: true
        default: false
        }
    }
}

/// y_i = f(x_i). Derivatives at kinks are those of torch: relu'(0) = 0; a clipped number on a bound has derivative 0.
struct UnaryOperation: Operation {
    let function: UnaryFunction
    let count: Int

    var operations: Double { 8 * Double(count) }

    func overwrites(_ input: Int) -> Bool { true }

    var backwardReads: BackwardReads { function.hasConstantSlope ? .nothing : function.slopeIsOfResult ? .results : .inputs }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        @inline(__always) func map(_ f: (F) -> F) {
            for sample in 0..<tile.samples {
                let (x, y) = unsafe (tile.input(0, sample).base, tile.output(sample).base)
                for index in 0..<count { unsafe y[index] = f(x[index]) }
            }
        }
        switch function {
        case .relu: map { $0 > 0 ? $0 : $0.isNaN ? $0 : 0 }
        case .negate: map { -$0 }
        case .abs: map { Swift.abs($0) }
        case .square: map { $0 * $0 }
        case .sqrt, .norm: map { $0.squareRoot() }
        case .reciprocal: map { 1 / $0 }
        case .scale(let factor):
            let factor = F(factor)
            map { factor * $0 }
        case .leakyRelu(let alpha):
            let alpha = F(alpha)
            map { $0 >= 0 ? $0 : alpha * $0 }
        case .clip(let low, let high):
            let (low, high) = (F(low), F(high))
            map { $0.isNaN ? $0 : min(max($0, low), high) }
        default: map { function.value($0) }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        let scratch = Buffer(F.self, count: count)
        defer { withExtendedLifetime(scratch) {} }
        let slope = scratch.cells(F.self, count)
        let d = unsafe slope.base
        for sample in 0..<tile.samples {
            // Where only y is kept, x is not there to be read, and the other way round.
            switch function {
            case .relu:
                let y = unsafe tile.result(sample).base
                for index in 0..<count { unsafe d[index] = y[index] > 0 ? 1 : 0 }
            case let function where function.slopeIsOfResult:
                let y = unsafe tile.result(sample).base
                for index in 0..<count { unsafe d[index] = function.slope(0, y[index]) }
            case let function where function.hasConstantSlope: slope.fill(function.slope(0, 0))
            default:
                let x = unsafe tile.input(0, sample).base
                for index in 0..<count { unsafe d[index] = function.slope(x[index], 0) }
            }
            for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                let (g, target) = unsafe (tile.cotangent(row).base, tile.gradient(0, row).base)
                if tile.isFresh(0) {
                    for index in 0..<count { unsafe target[index] = g[index] * d[index] }
                } else {
                    for index in 0..<count { unsafe target[index] += g[index] * d[index] }
                }
            }
        }
    }
}

extension UnaryFunction {
    /// f(x).
    @inline(__always)
    func value<F: NetworkScalar>(_ x: F) -> F {
        switch self {
        case .relu: return x > 0 ? x : x.isNaN ? x : 0
        case .leakyRelu(let alpha): return x >= 0 ? x : F(alpha) * x
        case .elu(let alpha): return x > 0 ? x : F(alpha) * F.expMinusOne(x)
        case .selu(let alpha, let gamma): return F(gamma) * (x > 0 ? x : F(alpha) * F.expMinusOne(x))
        case .celu(let alpha): return max(x, 0) + min(0, F(alpha) * F.expMinusOne(x / F(alpha)))
        case .thresholdedRelu(let alpha): return x > F(alpha) ? x : 0
        case .sigmoid: return Self.sigmoid(x)
        case .hardSigmoid(let alpha, let beta): return min(max(F(alpha) * x + F(beta), 0), 1)
        case .hardSwish: return x * min(max(x / 6 + F(0.5), 0), 1)
        case .softplus: return max(x, 0) + F.logOnePlus(F.exp(-Swift.abs(x)))
        case .softsign: return x / (1 + Swift.abs(x))
        case .mish: return x * F.tanh(max(x, 0) + F.logOnePlus(F.exp(-Swift.abs(x))))
        case .swish(let alpha): return x * Self.sigmoid(F(alpha) * x)
        case .gelu: return x * F(0.5) * (1 + F.erf(x * F(0.5).squareRoot()))
        case .geluTanh: return x * F(0.5) * (1 + F.tanh(Self.geluInner(x)))
        case .erf: return F.erf(x)
        case .tanh: return F.tanh(x)
        case .exp: return F.exp(x)
        case .log: return F.log(x)
        case .sqrt, .norm: return x.squareRoot()
        case .reciprocal: return 1 / x
        case .negate: return -x
        case .abs: return Swift.abs(x)
        case .square: return x * x
        case .sin: return F.sin(x)
        case .cos: return F.cos(x)
        case .tan: return F.sin(x) / F.cos(x)
        case .asin: return F.asin(x)
        case .acos: return F.acos(x)
        case .atan: return F.atan(x)
        case .sinh: return (F.expMinusOne(x) - F.expMinusOne(-x)) / 2
        case .cosh: return (F.exp(x) + F.exp(-x)) / 2
        case .asinh:
            let a = Swift.abs(x)
            let y = F.logOnePlus(a + a * a / (1 + (a * a + 1).squareRoot()))
            return x < 0 ? -y : y
        case .acosh: return F.log(x + (x * x - 1).squareRoot())
        case .atanh: return (F.logOnePlus(x) - F.logOnePlus(-x)) / 2
        case .floor: return x.rounded(.down)
        case .ceil: return x.rounded(.up)
        case .round: return x.rounded(.toNearestOrEven)
        case .sign: return x > 0 ? 1 : x < 0 ? -1 : 0
        case .clip(let low, let high): return x.isNaN ? x : min(max(x, F(low)), F(high))
        case .shrink(let lambda, let bias): return x < F(-lambda) ? x + F(bias) : x > F(lambda) ? x - F(bias) : 0
        case .scale(let factor): return F(factor) * x
        }
    }

    /// f'(x), where only x or only y = f(x) may be known: see `slopeIsOfResult`.
    @inline(__always)
    func slope<F: NetworkScalar>(_ x: F, _ y: F) -> F {
        switch self {
        case .relu: return y > 0 ? 1 : 0
        case .leakyRelu(let alpha): return x > 0 ? 1 : F(alpha)
        case .elu(let alpha): return x > 0 ? 1 : F(alpha) * F.exp(x)
        case .selu(let alpha, let gamma): return F(gamma) * (x > 0 ? 1 : F(alpha) * F.exp(x))
        case .celu(let alpha): return x > 0 ? 1 : F.exp(x / F(alpha))
        case .thresholdedRelu(let alpha): return x > F(alpha) ? 1 : 0
        case .sigmoid: return y * (1 - y)
        case .hardSigmoid(let alpha, let beta):
            let z = F(alpha) * x + F(beta)
            return z > 0 && z < 1 ? F(alpha) : 0
        case .hardSwish: return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + F(0.5)
        case .softplus: return Self.sigmoid(x)
        case .softsign:
            let a = 1 + Swift.abs(x)
            return 1 / (a * a)
        case .mish:
            let t = F.tanh(max(x, 0) + F.logOnePlus(F.exp(-Swift.abs(x))))
            return t + x * (1 - t * t) * Self.sigmoid(x)
        case .swish(let alpha):
            let s = Self.sigmoid(F(alpha) * x)
            return s + F(alpha) * x * s * (1 - s)
        case .gelu:
            return F(0.5) * (1 + F.erf(x * F(0.5).squareRoot())) + x * F.exp(-x * x / 2) / (2 * F.pi).squareRoot()
        case .geluTanh:
            let t = F.tanh(Self.geluInner(x))
            return F(0.5) * (1 + t) + F(0.5) * x * (1 - t * t) * (2 / F.pi).squareRoot() * (1 + 3 * F(0.044715) * x * x)
        case .erf: return 2 / F.pi.squareRoot() * F.exp(-x * x)
        case .tanh: return 1 - y * y
        case .exp: return y
        case .log: return 1 / x
        case .sqrt: return F(0.5) / y
        case .norm: return y == 0 ? 0 : F(0.5) / y
        case .reciprocal: return -y * y
        case .negate: return -1
        case .abs: return x > 0 ? 1 : x < 0 ? -1 : 0
        case .square: return 2 * x
        case .sin: return F.cos(x)
        case .cos: return -F.sin(x)
        case .tan:
            let c = F.cos(x)
            return 1 / (c * c)
        case .asin: return 1 / (1 - x * x).squareRoot()
        case .acos: return -1 / (1 - x * x).squareRoot()
        case .atan: return 1 / (1 + x * x)
        case .sinh: return (F.exp(x) + F.exp(-x)) / 2
        case .cosh: return (F.expMinusOne(x) - F.expMinusOne(-x)) / 2
        case .asinh: return 1 / (x * x + 1).squareRoot()
        case .acosh: return 1 / (x * x - 1).squareRoot()
        case .atanh: return 1 / (1 - x * x)
        case .floor, .ceil, .round, .sign: return 0
        case .clip(let low, let high): return x > F(low) && x < F(high) ? 1 : 0
        case .shrink(let lambda, _): return Swift.abs(x) > F(lambda) ? 1 : 0
        case .scale(let factor): return F(factor)
        }
    }

    @inline(__always)
    private static func sigmoid<F: NetworkScalar>(_ x: F) -> F {
        // e^x of a positive x may overflow.
        let e = F.exp(-Swift.abs(x))
        return x >= 0 ? 1 / (1 + e) : e / (1 + e)
    }

    @inline(__always)
    private static func geluInner<F: NetworkScalar>(_ x: F) -> F { (2 / F.pi).squareRoot() * (x + F(0.044715) * x * x * x) }
}
