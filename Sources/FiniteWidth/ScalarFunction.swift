internal import NTK

/// What stands between two affine layers.
struct ScalarFunction: Sendable {
    /// Nil: nothing.
    private let activation: Activation?
    /// Where the function or its slope jumps, but for 0, as far as it is known.
    let kinks: [Double]
    let averages: Averages

    /// How averages over the function are formed.
    enum Averages: Sendable {
        case homogeneous(HomogeneousMoments)
        case erf(ErfMoments)
        case series
    }

    init(_ activation: Activation?) {
        self.activation = activation
        kinks = activation?.kinks.filter { $0 != 0 } ?? []
        averages =
            switch activation {
            case nil: .homogeneous(HomogeneousMoments(a: 1, b: 1))
            case .abRelu(let a, let b): .homogeneous(HomogeneousMoments(a: a, b: b))
            case .erf(let a, let b, 0) where b != 0: .erf(ErfMoments(a: a, b: b))
            default: .series
            }
    }

    /// Whether its averages are closed forms.
    var isClosed: Bool { if case .series = averages { false } else { true } }

    func evaluate(_ x: Double) -> (Double, Double) {
        guard let activation else { return (x, 1) }
        let result = activation.evaluate(x)
        return (result.value, result.derivative)
    }
}
