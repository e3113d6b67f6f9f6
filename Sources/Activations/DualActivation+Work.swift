package import LinearAlgebra

// What duals cost, in nanoseconds of a core for formulas and quadrature.
extension DualActivation {
    /// κ and κ̇ of a pair.
    package var pairWork: Work {
        switch form {
        case .closed(let closed): closed.pairWork
        case .numerical(let numerical): numerical.pairWork
        }
    }

    /// What a point of a variance that no other has takes before any pair.
    package var pointWork: Work {
        switch form {
        case .closed(let closed): closed.pairWork
        case .numerical(let numerical): numerical.pointWork
        }
    }
}

extension ClosedDual {
    package var pairWork: Work {
        let nanoseconds: Double =
            switch activation {
            case .monomial(let n): 40 + 60 * Double(n)
            case .hermite: 90
            case .rectifiedMonomial(let n): 70 + 4 * Double(n)
            case .polynomial(let coefficients): 40 + 20 * Double(coefficients.count) + Double(coefficients.count * coefficients.count)
            case .sign: 30
            case .abRelu: 40
            case .gelu: 70
            default: 90
            }
        return Work(.formulas, nanoseconds)
    }
}

extension Activation {
    /// Nanoseconds that the function and its slope take.
    package var evaluationNanoseconds: Double {
        switch self {
        case .abRelu, .sign: 1
        case .hermite(let n): 5 + 8 * Double(n)
        case .monomial, .rectifiedMonomial: 40
        case .polynomial(let coefficients): 2 + Double(coefficients.count)
        case .elementwise(let expression): expression.evaluationNanoseconds
        case .gelu(let isApproximate): isApproximate ? 25 : 35
        case .mish: 60
        default: 25
        }
    }
}

extension NumericalDual {
    /// By a series of some hundred terms, or near the poles where that converges slowly by some hundred lookups: what lies between.
    package var pairWork: Work {
        if let lines { return Work(.formulas, 500 + 20 * Double(lines.kinks.count + 1) + 250 * Double(lines.kinks.count * lines.kinks.count)) }
        return Work(.series, 200) + Work(.quadrature, function.kinks.isEmpty ? 900 : 15_000)
    }

    /// Up to 1,600 values of the function, the series' coefficients, and two pairs by which the error is estimated.
    package var pointWork: Work {
        if lines != nil { return Work(.formulas, 3_000) }
        return Work(.series, 100_000) + Work(.quadrature, function.kinks.isEmpty ? 80_000 : 650_000)
    }
}
