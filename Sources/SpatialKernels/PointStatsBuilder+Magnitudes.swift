import Architecture
import KernelLoops
import LinearAlgebra

extension PointStatsBuilder {
    /// How large the terms of a variance are that was summed up from covariances of different positions, see `PointStats.magnitudes`.
    func setMagnitudes(_ index: Int, _ stats: inout PointStats<Element>) throws {
        let value = index + 1
        guard needs.forms[value] == .covariance, needs.pairings[value] > .none || needs.ownPairings[value] > .none else { return }
        stats.magnitudes[value] = try magnitudes(index, stats)
    }

    /// See `PointStats.cancellations`.
    func setCancellation(_ index: Int, _ stats: inout PointStats<Element>) throws {
        guard let largest = stats.variances[index + 1]?.values.max(), largest > 0, let magnitude = try magnitudes(index, stats)?.max() else { return }
        stats.cancellations[index + 1] = magnitude / largest
    }

    /// nil where nothing is known of them.
    private func magnitudes(_ index: Int, _ stats: PointStats<Element>) throws -> [Double]? {
        let value = index + 1
        let instruction = program.instructions[index]
        let inputs = instruction.inputs.compactMap { stats.magnitudes[$0] ?? stats.variances[$0]?.values }
        guard inputs.count == instruction.inputs.count, let first = inputs.first else { return nil }
        let spatial = program.values[value].spatial
        func mixed(_ map: SpatialMap) -> [Double] {
            (0..<map.count).map { row in
                var sum = 0.0
                map.forEachEntry(of: row) { sum += abs($1) * first[$0].squareRoot() }
                return sum.squared
            }
        }
        switch instruction.operation {
        case .affine(let step): return first.map { step.weight * $0 + step.bias }
        case .sum: return combined(inputs, inputs.map { _ in 1 })
        case .concatenateChannels(let weights): return combined(inputs, weights)
        case .product: return first.indices.map { position in inputs.reduce(1) { $0 * $1[position] } }
        case .window(let geometry):
            let table = try needed(windows[index], "a window's table")
            return slide(table, Variances(first, table.input.grid), geometry)
        case .concatenate(let axis):
            var joined: [Double] = []
            forEachOrigin(spatial, axis, instruction.inputs.map { program.values[$0].spatial[axis] }) { joined.append(inputs[$0][$1]) }
            return joined
        case .layerNorm:
            let scales = try needed(stats.scales[index], "scales of layer_norm")
            return zip(first, scales.values).map { $0 * $1.squared }
        case .dropout(let keep): return first.map { $0 / keep }
        case .flatten: return [first.reduce(0, +) / Double(first.count)]
        case .map(let map): return mixed(map)
        case .aggregate:
            let map = try needed(stats.aggregations[index], "a pattern")
            return mixed(map)
        case .globalPool(let reduction):
            let count = reduction == .sum ? 1 : Double(stats.mask(instruction.inputs[0]).map { max($0.count { !$0 }, 1) } ?? first.count)
            return [(first.reduce(0) { $0 + $1.squareRoot() } / count).squared]
        case .attention(let layer, _, _):
            guard layer.linearScaling else {
                // K' = σ² D K + b² with D the sum of the squares of all K.
                let extra = layer.positionalEmbedding == .none ? 0 : layer.positionalStd.squared
                let sum = first.reduce(0) { $0 + $1 + extra }
                let scale = (layer.outputStd * layer.valueStd * layer.keyStd * layer.queryStd).squared
                let bias = layer.biasStd?.squared ?? 0
                return first.map { scale * sum.squared * ($0 + extra) + bias }
            }
            let weights = try needed(stats.operators[index], "weights of attention")
            // Embeddings add what they have themselves: no less than a position's own.
            let extra = layer.embedsValues ? layer.positionalStd.squared : 0
            let (values, bias) = ((layer.outputStd * layer.valueStd).squared, layer.biasStd?.squared ?? 0)
            return (0..<weights.rows).map { row in
                let sum = (0..<weights.columns).reduce(0.0) { $0 + abs(Double(weights[row, $1])) * (first[$1] + extra).squareRoot() }
                return values * sum.squared + bias
            }
        case .activation, .isolate: return nil
        }
    }
}
