/// Which entries of the [outputs, outputs] block of a pair of points an empirical kernel has.
public enum OutputSelection: Sendable, Equatable {
    /// The trace over all outputs, divided by their number: [n1, n2].
    case mean
    /// The trace over all outputs: [n1, n2].
    case sum
    /// Each output with itself: [n1, n2, k].
    case diagonal
    /// Each output with every one: [n1, n2, k, k].
    case full
    /// Each of these outputs with every one of them: [n1, n2, m, m].
    case chosen([Int])

    /// How a pair's entries are summed and laid out.
    enum Form: Sendable {
        case trace, diagonal, full
    }

    var form: Form {
        switch self {
        case .mean, .sum: .trace
        case .diagonal: .diagonal
        case .full, .chosen: .full
        }
    }

    /// The outputs that take part, of `count` that there are.
    func outputs(of count: Int) -> [Int] {
        if case .chosen(let outputs) = self { outputs } else { Array(0..<count) }
    }

    /// How many outputs take part, of `count` that there are.
    func count(of count: Int) -> Int {
        if case .chosen(let outputs) = self { outputs.count } else { count }
    }

    /// Extents of a pair's entries.
    public func shape(outputs count: Int) -> [Int] {
        switch self {
        case .mean, .sum: []
        case .diagonal: [count]
        case .full: [count, count]
        case .chosen(let outputs): [outputs.count, outputs.count]
        }
    }
}
