import Glibc

/// A function of x in arithmetic notation: + − * / ^, parentheses, numbers, x, pi, e and a few functions.
///
/// Nothing else can be written in it: there are no names but these, no assignment and no repetition, and text and depth are bounded.
public struct Expression: Sendable, Equatable {
    public let text: String
    /// In postfix order.
    package let steps: [Step]

    package static let maximumLength = 1000
    package static let maximumDepth = 50

    package enum Function: String, CaseIterable {
        case exp, log, tanh, sin, cos, sqrt, abs, erf, max, min

        package var arguments: Int { self == .max || self == .min ? 2 : 1 }
    }

    package enum Step: Sendable, Equatable {
        case number(Double)
        case variable
        case add, subtract, multiply, divide, power, negate
        case function(Function)
    }

    /// - Throws: `ExpressionError` with the column where the text cannot be read.
    public init(_ text: String) throws(ExpressionError) {
        self.text = text
        var parser = ExpressionParser(text)
        steps = try parser.parse()
    }

    /// The value and the derivative by forward mode; at a kink the mean of both sides. Not a number outside the functions' domains.
    public func evaluate(_ x: Double) -> (value: Double, derivative: Double) {
        unsafe withUnsafeTemporaryAllocation(of: (Double, Double).self, capacity: steps.count) { stack in
            var top = -1
            for step in steps {
                switch step {
                case .number(let value):
                    top += 1
                    unsafe stack[top] = (value, 0)
                case .variable:
                    top += 1
                    unsafe stack[top] = (x, 1)
                case .negate: unsafe stack[top] = (-stack[top].0, -stack[top].1)
                case .function(let function) where function.arguments == 1: unsafe stack[top] = Self.apply(function, stack[top])
                default:
                    let (a, b) = unsafe (stack[top - 1], stack[top])
                    top -= 1
                    unsafe stack[top] = Self.combine(step, a, b)
                }
            }
            return unsafe stack[0]
        }
    }

    /// Nanoseconds that `evaluate` takes.
    package var evaluationNanoseconds: Double {
        steps.reduce(20) { sum, step in
            switch step {
            case .function(let function): sum + (function.arguments == 1 ? 25 : 4)
            case .power: sum + 60
            default: sum + 4
            }
        }
    }

    /// By what sign the function switches at x: the arguments of absolute values, the differences of those of maxima and minima.
    package func switches(at x: Double) -> [Double] {
        var stack: [(Double, Double)] = []
        var switches: [Double] = []
        for step in steps {
            switch step {
            case .number(let value): stack.append((value, 0))
            case .variable: stack.append((x, 1))
            case .negate: stack.append((-stack.removeLast().0, 0))
            case .function(let function) where function.arguments == 1:
                let argument = stack.removeLast()
                if function == .abs { switches.append(argument.0) }
                stack.append(Self.apply(function, argument))
            default:
                let (b, a) = (stack.removeLast(), stack.removeLast())
                if step == .function(.max) || step == .function(.min) { switches.append(a.0 - b.0) }
                stack.append(Self.combine(step, a, b))
            }
        }
        return switches
    }

    @inline(__always)
    package static func apply(_ function: Function, _ a: (Double, Double)) -> (Double, Double) {
        let (x, dx) = a
        switch function {
        case .exp: return (Glibc.exp(x), Glibc.exp(x) * dx)
        case .log: return (Glibc.log(x), dx / x)
        case .tanh:
            let value = Glibc.tanh(x)
            return (value, dx == 0 ? 0 : (1 - value * value) * dx)
        case .sin: return (Glibc.sin(x), Glibc.cos(x) * dx)
        case .cos: return (Glibc.cos(x), -Glibc.sin(x) * dx)
        case .sqrt: return (x.squareRoot(), dx == 0 ? 0 : dx / (2 * x.squareRoot()))
        case .abs: return (Swift.abs(x), x > 0 ? dx : x < 0 ? -dx : 0)
        case .erf: return (Glibc.erf(x), 2 / Double.pi.squareRoot() * Glibc.exp(-x * x) * dx)
        case .max, .min: return a
        }
    }

    @inline(__always)
    package static func combine(_ step: Step, _ a: (Double, Double), _ b: (Double, Double)) -> (Double, Double) {
        switch step {
        case .add: return (a.0 + b.0, a.1 + b.1)
        case .subtract: return (a.0 - b.0, a.1 - b.1)
        case .multiply: return (a.0 * b.0, a.1 * b.0 + a.0 * b.1)
        case .divide: return (a.0 / b.0, (a.1 - a.0 / b.0 * b.1) / b.0)
        case .power:
            let value = pow(a.0, b.0)
            let base = a.1 == 0 || b.0 == 0 ? 0 : b.0 * pow(a.0, b.0 - 1) * a.1
            return (value, b.1 == 0 ? base : base + value * Glibc.log(a.0) * b.1)
        case .function(.max): return a.0 > b.0 ? a : b.0 > a.0 ? b : (a.0, (a.1 + b.1) / 2)
        case .function(.min): return a.0 < b.0 ? a : b.0 < a.0 ? b : (a.0, (a.1 + b.1) / 2)
        default: return a
        }
    }
}

/// What an expression cannot be read as, and where.
public struct ExpressionError: Error, Sendable, Equatable {
    /// Counted from 1.
    public var column: Int
    public var detail: String
}
