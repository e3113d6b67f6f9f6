import Activations
import Architecture
import KernelLoops
import LinearAlgebra

extension PointStatsBuilder {
    /// Variances of an output whose positions do not mix, and what its layer prepares for pairs.
    func plainVariances(_ index: Int, _ stats: inout PointStats<Element>) throws {
        let value = index + 1
        guard needs.variances.contains(value), stats.variances[value] == nil else { return }
        let instruction = program.instructions[index]
        if instruction.operation.mixesPositions { return }
        let inputs = try instruction.inputs.map { try needed(stats.variances[$0], "an input's variances").values }
        var q = try needed(inputs.first, "an input")
        switch instruction.operation {
        case .affine(let step): for p in q.indices { q[p] = step.weight * q[p] + step.bias }
        case .activation(let step):
            if let abRelu = step.abRelu {
                for p in q.indices { q[p] *= abRelu.power }
            } else {
                let prepared = unsafe q.withUnsafeBufferPointer { unsafe step.dual.points($0) }
                stats.duals[index] = prepared
                q = Array(prepared.kappa)
            }
        case .sum: q = combined(inputs, inputs.map { _ in 1 })
        case .concatenateChannels(let weights): q = combined(inputs, weights)
        case .product: for other in inputs.dropFirst() { for p in q.indices { q[p] *= other[p] } }
        case .window(let geometry):
            let (table, before) = (try needed(windows[index], "a window's table"), try needed(stats.variances[instruction.inputs[0]], "variances"))
            q = slide(table, before, geometry)
            if needs.forms[value] == .gap {
                stats.windowUnits[index] = windowUnits(table, before.values, q)
            } else if needs.pairings[value] == .full || needs.ownPairings[value] == .full {
                stats.windowSums[index] = sums(table, before)
            }
        case .concatenate(let axis):
            q = []
            let extents = instruction.inputs.map { program.values[$0].spatial[axis] }
            forEachOrigin(program.values[value].spatial, axis, extents) { q.append(inputs[$0][$1]) }
        case .layerNorm(let axes, let epsilon):
            if let largest = q.max(), q.contains(where: { $0 > 0 && $0 < largest / 64 }) { stats.isUneven = true }
            let scales = norms(q, axes, epsilon, instruction.inputs[0], stats)
            for p in q.indices { q[p] *= scales[p].squared }
            stats.scales[index] = Variances(scales, PositionGrid(program.values[value].spatial))
        case .dropout(let keep): for p in q.indices { q[p] /= keep }
        case .flatten: q = [q.reduce(0, +) / Double(q.count)]
        case .map(let map): q = (0..<map.count).map { row in map.selected(row).map { $0.weight.squared * inputs[0][$0.position] } ?? 0 }
        case .isolate: break
        case .attention, .aggregate, .globalPool: return
        }
        if let mask = stats.mask(value) { for p in q.indices where mask[p] { q[p] = 0 } }
        stats.variances[value] = Variances(q, PositionGrid(program.values[value].spatial))
    }

    /// Variances after a window: means of those in it, zeros beyond the edges.
    func slide(_ table: WindowTable, _ before: Variances<Element>, _ geometry: WindowGeometry) -> [Double] {
        let (grid, result) = (table.input.grid, table.output.grid)
        let input = unsafe extended.base + table.extendedStride
        let output = unsafe input + table.input.elements
        unsafe input.initialize(repeating: 0, count: table.input.elements)
        unsafe before.values.withUnsafeBufferPointer { values in
            for row in 0..<grid.rows {
                for x in 0..<grid.width { unsafe input[row * grid.stride + x] = values[row * grid.width + x] }
            }
        }
        if table.isContiguous {
            let window = unsafe BlockWindow<Double>(table)
            unsafe table.rows.withUnsafeBufferPointer { rows in
                guard let base = rows.baseAddress else { return }
                unsafe Double.windowPlane(
                    output, rows: result.rows, stride: result.stride, input, extended.base, window, table: base, taps: table.inner.window,
                    scale: table.scale)
            }
        } else {
            for row in 0..<result.rows {
                for c in 0..<result.width {
                    var sum = 0.0
                    for tap in 0..<table.rowTaps {
                        let source = Int(table.rows[row * table.rowTaps + tap])
                        guard source >= 0 else { continue }
                        for k in 0..<table.inner.window {
                            if let x = table.inner.source(c, k) { unsafe sum += input[source * grid.stride + x] }
                        }
                    }
                    unsafe output[row * result.stride + c] = table.scale * sum
                }
            }
        }
        return unsafe [Double](unsafeUninitializedCapacity: result.positions) { buffer, count in
            for row in 0..<result.rows {
                for x in 0..<result.width { unsafe buffer[row * result.width + x] = output[row * result.stride + x] }
            }
            count = result.positions
        }
    }

    private func windowUnits(_ table: WindowTable, _ before: [Double], _ after: [Double]) -> Storage<Element> {
        let (grid, result) = (table.input.grid, table.output.grid)
        let size = result.rows * result.stride
        let units = Storage<Element>(count: table.rowTaps * table.inner.window * size)
        unsafe units.base.initialize(repeating: 0, count: units.count)
        for row in 0..<result.rows {
            for tap in 0..<table.rowTaps {
                let source = Int(table.rows[row * table.rowTaps + tap])
                guard source >= 0 else { continue }
                for k in 0..<table.inner.window {
                    let start = (tap * table.inner.window + k) * size + row * result.stride
                    for x in 0..<result.width {
                        let whole = after[row * result.width + x]
                        guard whole > 0, let place = table.inner.source(x, k) else { continue }
                        unsafe units.base[start + x] = Element((table.scale * before[source * grid.width + place] / whole).squareRoot())
                    }
                }
            }
        }
        return units
    }

    private func sums(_ table: WindowTable, _ before: Variances<Element>) -> Storage<Element> {
        let stride = table.input.grid.stride
        let sums = Storage<Element>(count: table.output.grid.rows * stride)
        unsafe sums.base.initialize(repeating: 0, count: sums.count)
        for row in 0..<table.output.grid.rows {
            let target = unsafe sums.base + row * stride
            for tap in 0..<table.rowTaps {
                let source = Int(table.rows[row * table.rowTaps + tap])
                guard source >= 0 else { continue }
                let row = unsafe before.row(source)
                for x in 0..<stride { unsafe target[x] += row[x] }
            }
        }
        return sums
    }

    func combined(_ inputs: [[Double]], _ weights: [Double]) -> [Double] {
        inputs[0].indices.map { position in zip(inputs, weights).reduce(0) { $0 + $1.1 * $1.0[position] } }
    }

    /// 1 / √(epsilon + mean variance over the axes), at every position.
    private func norms(_ q: [Double], _ axes: [Int], _ epsilon: Double, _ value: Int, _ stats: PointStats<Element>) -> [Double] {
        let spatial = program.values[value].spatial
        let mask = stats.mask(value)
        var kept = spatial
        for axis in axes { kept[axis] = 1 }
        var sums = [Double](repeating: 0, count: kept.reduce(1, *))
        var counts = sums
        var groups: [Int] = []
        forEachIndex(spatial) { index in
            var group = index
            for axis in axes { group[axis] = 0 }
            groups.append(flatIndex(group, kept))
        }
        for (position, group) in groups.enumerated() where mask?[position] != true {
            sums[group] += q[position]
            counts[group] += 1
        }
        return groups.map { group in
            let mean = epsilon + (counts[group] > 0 ? sums[group] / counts[group] : 0)
            return mean > 0 ? 1 / mean.squareRoot() : 0
        }
    }
}
