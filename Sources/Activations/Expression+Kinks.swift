import Glibc

extension Expression {
    /// Where the argument of an absolute value, or the difference of the two of a maximum or minimum, changes its sign: the places where
    /// the function or its slope may jump. From 10⁻⁹ to 10⁹ on either side of zero, at most 64 of them, increasing.
    package func kinks() -> [Double] {
        let count = switches(at: 1).count
        guard count > 0 else { return [] }
        var kinks: [Double] = []
        var grid: [Double] = [0]
        for k in -30..<30 { for part in 0..<8 { grid.append(scalbn(1 + Double(part) / 8, k)) } }
        // Denser where kinks usually are, off the round numbers at which they lie.
        for k in 0..<1024 { grid.append((Double(k) + 0.3719) / 16) }
        grid.sort()
        let places = grid.dropFirst().reversed().map { -$0 } + grid
        var before = switches(at: places[0])
        for (left, right) in zip(places, places.dropFirst()) {
            let after = switches(at: right)
            for index in 0..<count {
                let (a, b) = (before[index], after[index])
                if a == 0 {
                    // On one side at least it is not zero.
                    if b != 0 || switches(at: left - (right - left) / 2)[index] != 0 { kinks.append(left) }
                } else if a * b < 0 || (a < 0) != (b < 0) && b != 0 {
                    kinks.append(root(of: index, left, right, isNegative: a < 0))
                }
            }
            before = after
        }
        let distinct = Set(kinks).sorted { abs($0) < abs($1) }
        return distinct.prefix(64).sorted()
    }

    /// By bisection to the last digit.
    private func root(of index: Int, _ left: Double, _ right: Double, isNegative: Bool) -> Double {
        var (low, high) = (left, right)
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { break }
            let value = switches(at: middle)[index]
            if value == 0 { return middle }
            if (value < 0) == isNegative { low = middle } else { high = middle }
        }
        return high
    }
}
