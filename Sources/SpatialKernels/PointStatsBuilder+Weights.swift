import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

// By what a point combines its positions.
extension PointStatsBuilder {
    /// ζ: the mechanism applied to the scores of a point's positions, along the keys.
    func attentionWeights(
        _ layer: SelfAttention, _ channels: Int?, _ value: Int, _ stats: PointStats<Element>
    ) throws -> Matrix<Element> {
        let slot = try needed(pass.plan.restSlots.slots[value], "the place of attention's input")
        let plane = try unsafe needed(pass.restPlane(value, slot: slot), "the plane of attention's input")
        let mask = stats.mask(value)
        let covariance = try unsafe pass.dense(plane, plane.base, form: needs.forms[value])
        let scores = PositionalCovariance(layer, channels: channels, spatial: program.values[value].spatial).interpolate(covariance, (mask, mask))
        let scale = layer.keyStd * layer.queryStd
        let result = Matrix<Element>(uninitializedRows: scores.rows, columns: scores.columns)
        for row in 0..<scores.rows {
            var weights = (0..<scores.columns).map { unsafe scale * Double(scores.base[row * scores.columns + $0]) }
            let largest = weights.indices.filter { mask?[$0] != true }.map { weights[$0] }.max() ?? 0
            var total = 0.0
            for key in weights.indices {
                if mask?[key] == true {
                    weights[key] = 0
                    continue
                }
                switch layer.mechanism {
                case .softmax: weights[key] = exp(weights[key] - largest)
                case .identity: break
                case .abs: weights[key] = abs(weights[key])
                case .relu: weights[key] = max(weights[key], 0)
                }
                total += weights[key]
            }
            for key in weights.indices {
                unsafe result.base[row * scores.columns + key] = Element(
                    layer.mechanism == .softmax ? weights[key] / max(total, 1e-300) : weights[key])
            }
        }
        return result
    }

    /// Whether scores from squared distances, which are right to some ε of the larger variance, are less so than weights need: those of softmax
    /// are as right as the scores are without regard to their size, others are as right as each score.
    func blursScores(_ layer: SelfAttention, _ value: Int, _ stats: PointStats<Element>) -> Bool {
        guard needs.forms[value] == .distance, let variances = stats.variances[value]?.values else { return false }
        let mask = stats.mask(value)
        let kept = variances.indices.filter { mask?[$0] != true }.map { variances[$0] }
        guard let largest = kept.max(), largest > 0 else { return false }
        if layer.mechanism == .softmax {
            let allowed = MemoryLayout<Element>.size == 4 ? 4e-7 : 1e-14
            if layer.keyStd * layer.queryStd * largest * Double(Element.ulpOfOne) < allowed { return false }
            if MemoryLayout<Element>.size == 4 { return true }
        }
        return kept.contains { $0 < largest / 64 }
    }

    /// The operator x ← Aᵀ x over some spatial axes, the identity over the others.
    func aggregation(_ axes: [Int], _ spatial: [Int], _ pattern: UnsafeBufferPointer<Double>) -> SpatialMap {
        let nodes = axes.reduce(1) { $0 * spatial[$1] }
        var places: [(node: Int, rest: Int)] = []
        forEachIndex(spatial) { index in
            let node = flatIndex(axes.map { index[$0] }, axes.map { spatial[$0] })
            var others = index
            for axis in axes { others[axis] = 0 }
            places.append((node, flatIndex(others, spatial)))
        }
        // The positions of each rest, so that only pairs of the same one are met.
        let groups = Dictionary(grouping: places.indices) { places[$0].rest }
        var rows = SparseRows(input: places.count)
        for target in places {
            for source in groups[target.rest] ?? [] {
                let weight = unsafe pattern[places[source].node * nodes + target.node]
                if weight != 0 { rows.append(position: source, weight: weight) }
            }
            rows.endRow()
        }
        return SpatialMap(rows)
    }
}

extension Matrix where Element: KernelScalar {
    /// The mean [1, columns] of the rows that are not masked; zeros where all are.
    func meanRow(excluding mask: [Bool]?) -> Matrix {
        var sums = [Double](repeating: 0, count: columns)
        var count = 0
        for row in 0..<rows where mask?[row] != true {
            for column in 0..<columns { sums[column] += Double(self[row, column]) }
            count += 1
        }
        return Matrix(rows: 1, columns: columns, sums.map { Element($0 / Double(max(count, 1))) })
    }
}
