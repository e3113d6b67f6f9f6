public import LinearAlgebra

/// Training points that are equal, merged: K = S K_m Sᵀ for the m distinct points and the n × m indicator S.
///
/// With w the multiplicities and W = diag(w), S W^(−½) has orthonormal columns, so that regression on all n points is, exactly, regression
/// with B = W^½ K_m W^½ on W^½ȳ, the scaled mean targets, and what of y is orthogonal to them meets eigenvalues that are 0.
public struct DuplicateGroups: Sendable {
    /// Of each distinct point its first index.
    public let representatives: [Int]
    /// Of each point its distinct point.
    public let group: [Int]
    /// Of each distinct point how many points it stands for.
    public let multiplicities: [Double]

    public var pointCount: Int { group.count }
    public var groupCount: Int { representatives.count }
    /// Points that were merged into others.
    public var mergedCount: Int { pointCount - groupCount }
    /// √w.
    var roots: [Double] { multiplicities.map { $0.squareRoot() } }

    /// Every point on its own.
    public init(distinct count: Int) {
        representatives = Array(0..<count)
        group = representatives
        multiplicities = [Double](repeating: 1, count: count)
    }

    /// Groups the rows of `points` that are equal, number for number, missing ones (NaN) included: O(n d).
    /// - Parameter beside: more rows, of which those of equal points must be equal too.
    public init(equalRowsOf points: Matrix<Double>, beside: Matrix<Double>? = nil) {
        // 0 and −0 are equal numbers, and NaN are equal for being missing.
        func row(_ point: Int) -> [UInt64] { (points.row(point) + (beside?.row(point) ?? [])).map { $0 == 0 ? 0 : $0.bitPattern } }
        var representatives: [Int] = []
        var group: [Int] = []
        var counts: [Double] = []
        var found: [Int: [Int]] = [:]
        for point in 0..<points.rows {
            let own = row(point)
            let hash = own.hashValue
            if let known = found[hash]?.first(where: { row(representatives[$0]) == own }) {
                group.append(known)
                counts[known] += 1
            } else {
                found[hash, default: []].append(representatives.count)
                group.append(representatives.count)
                representatives.append(point)
                counts.append(1)
            }
        }
        self.representatives = representatives
        self.group = group
        multiplicities = counts
    }

    /// W^½ȳ [m, k] from y [n, k].
    func reduce(_ targets: Matrix<Double>) -> Matrix<Double> {
        guard mergedCount > 0 else { return targets }
        let (k, roots, offsets) = (targets.columns, roots, meanOffsets(targets))
        var means = [Double](repeating: 0, count: groupCount * k)
        for group in 0..<groupCount {
            for output in 0..<k { means[group * k + output] = (targets[representatives[group], output] + offsets[group * k + output]) * roots[group] }
        }
        return Matrix(rows: groupCount, columns: k, means)
    }

    /// y − S ȳ [n, k].
    public func deviations(_ targets: Matrix<Double>) -> Matrix<Double> {
        guard mergedCount > 0 else { return Matrix(zeroRows: targets.rows, columns: targets.columns) }
        let (k, offsets) = (targets.columns, meanOffsets(targets))
        var elements = [Double](repeating: 0, count: targets.rows * k)
        for (point, group) in group.enumerated() where multiplicities[group] > 1 {
            let first = representatives[group]
            for output in 0..<k { elements[point * k + output] = (targets[point, output] - targets[first, output]) - offsets[group * k + output] }
        }
        return Matrix(rows: targets.rows, columns: k, elements)
    }

    /// Of each distinct point ȳ − y of its first point [m · k]: differences, so that equal targets have a mean that is equal, and deviations of
    /// exactly 0.
    private func meanOffsets(_ targets: Matrix<Double>) -> [Double] {
        let k = targets.columns
        var sums = [Double](repeating: 0, count: groupCount * k)
        for (point, group) in group.enumerated() where representatives[group] != point {
            let first = representatives[group]
            for output in 0..<k { sums[group * k + output] += (targets[point, output] - targets[first, output]) / multiplicities[group] }
        }
        return sums
    }

    /// Distinct points whose equal points have different targets.
    func conflicts(_ targets: Matrix<Double>) -> Int {
        guard mergedCount > 0 else { return 0 }
        var conflicting = Set<Int>()
        for (point, group) in group.enumerated() where representatives[group] != point {
            let first = representatives[group]
            if (0..<targets.columns).contains(where: { targets[point, $0] != targets[first, $0] }) { conflicting.insert(group) }
        }
        return conflicting.count
    }
}
