import Glibc

/// A continuous function of straight pieces: φ(x) = φ(0) + ∫ φ', whose slope jumps by s_i at the kinks t_i.
///
/// Rectifiers with thresholds, clipped lines and their sums have this form, and their duals have integrals over exponentials alone
/// (`PiecewiseLinear+Pairs`).
struct PiecewiseLinear: Sendable {
    /// Where the slope jumps, increasing.
    let kinks: [Double]
    /// Of the pieces between: one more than kinks.
    let slopes: [Double]
    /// φ at the kinks.
    let values: [Double]
    /// φ(0), and φ'(0): at a kink the mean of both sides.
    let atZero: (value: Double, slope: Double)

    /// s_i.
    var jumps: [Double] { zip(slopes, slopes.dropFirst()).map { $1 - $0 } }

    /// With more kinks, whose pairs all count, quadrature is as fast.
    private static let mostKinks = 6

    /// nil for a function that has other pieces, or many.
    init?(_ expression: Expression) {
        var kinks: [Double] = []
        let places = expression.kinks()
        let ends = [-1e300] + places + [1e300]
        guard var last = expression.line(at: -1e200) else { return nil }
        var slopes = [last.slope]
        for (index, place) in places.enumerated() {
            guard let next = expression.line(at: Self.between(place, ends[index + 2])) else { return nil }
            guard next.slope != last.slope || next.offset != last.offset else { continue }
            kinks.append(place)
            slopes.append(next.slope)
            last = next
        }
        // Kinks that were not found would stand between.
        guard let right = expression.line(at: 1e200), right.slope == last.slope, kinks.count <= Self.mostKinks else { return nil }
        values = kinks.map { expression.evaluate($0).value }
        let (value, slope) = expression.evaluate(0)
        atZero = (value, slope)
        guard (values + slopes + [atZero.value]).allSatisfy({ $0.isFinite }) else { return nil }
        (self.kinks, self.slopes) = (kinks, slopes)
        for (left, right) in zip(ends, ends.dropFirst()) {
            let x = Self.between(left, right)
            let (value, here) = (expression.evaluate(x).value, self.value(x))
            guard abs(value - here) <= 1e-12 * (abs(value) + abs(here) + abs(atZero.value)) else { return nil }
        }
    }

    private static func between(_ left: Double, _ right: Double) -> Double {
        if left <= -1e300 { return right >= 1e300 ? 0.5 : right - max(1, abs(right)) }
        return right >= 1e300 ? left + max(1, abs(left)) : left + (right - left) * 0.437
    }

    private func value(_ x: Double) -> Double {
        guard let first = kinks.first else { return atZero.value + slopes[0] * x }
        var nearest = (kink: first, value: values[0], slope: slopes[0])
        for (index, kink) in kinks.enumerated() where kink <= x { nearest = (kink, values[index], slopes[index + 1]) }
        return nearest.value + nearest.slope * (x - nearest.kink)
    }
}

extension Expression {
    /// The line that the function is around x, if each of its parts is one; nil for any other.
    func line(at x: Double) -> (offset: Double, slope: Double)? {
        var stack: [(offset: Double, slope: Double)] = []
        for step in steps {
            switch step {
            case .number(let value): stack.append((value, 0))
            case .variable: stack.append((0, 1))
            case .negate:
                let a = stack.removeLast()
                stack.append((-a.offset, -a.slope))
            case .function(.abs):
                let a = stack.removeLast()
                stack.append(a.offset + a.slope * x < 0 ? (-a.offset, -a.slope) : a)
            case .function(let function) where function.arguments == 1:
                let a = stack.removeLast()
                guard a.slope == 0 else { return nil }
                stack.append((Self.apply(function, (a.offset, 0)).0, 0))
            default:
                let (b, a) = (stack.removeLast(), stack.removeLast())
                guard let line = Self.combine(step, a, b, x) else { return nil }
                stack.append(line)
            }
        }
        return stack.last
    }

    private typealias Line = (offset: Double, slope: Double)

    private static func combine(_ step: Step, _ a: Line, _ b: Line, _ x: Double) -> Line? {
        switch step {
        case .add: return (a.offset + b.offset, a.slope + b.slope)
        case .subtract: return (a.offset - b.offset, a.slope - b.slope)
        case .multiply:
            if a.slope == 0 { return (a.offset * b.offset, a.offset * b.slope) }
            return b.slope == 0 ? (a.offset * b.offset, a.slope * b.offset) : nil
        case .divide: return b.slope == 0 ? (a.offset / b.offset, a.slope / b.offset) : nil
        case .power: return a.slope == 0 && b.slope == 0 ? (combine(.power, (a.offset, 0), (b.offset, 0)).0, 0) : nil
        case .function(.max): return (a.offset - b.offset) + (a.slope - b.slope) * x >= 0 ? a : b
        case .function(.min): return (a.offset - b.offset) + (a.slope - b.slope) * x <= 0 ? a : b
        default: return nil
        }
    }
}
