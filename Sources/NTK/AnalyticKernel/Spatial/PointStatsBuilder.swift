import Glibc
import LinearAlgebra

/// Works out a point's variances, operators and masks at every value: by each position's own formula, or, after positions mix, from the
/// pairs of the point's positions with each other.
@safe
final class PointStatsBuilder<Element: KernelScalar> {
    private let program: KernelProgram
    private let needs: SpatialNeeds
    private let channels: Int
    private let pass: SpatialPass<Element>
    private let windows: [Int: WindowTable]
    private let extended: Storage<Double>

    init(_ program: KernelProgram, _ needs: SpatialNeeds, ownPlan: SpatialPlan, windows: [Int: WindowTable], channels: Int) {
        self.program = program
        self.needs = needs
        self.channels = channels
        self.windows = windows
        extended = Storage(count: windows.values.reduce(0) { max($0, $1.extendedStride + 3 * $1.input.elements + $1.output.elements) })
        pass = SpatialPass(ownPlan, channels: channels, hasTheta: false, empty: PointStats(input: Storage(count: 0)))
        pass.isOwn = true
    }

    var valueCount: Int { program.values.count }

    /// The windows of the program over single positions.
    static func windows(_ program: KernelProgram) -> [Int: WindowTable] {
        var tables: [Int: WindowTable] = [:]
        for (index, instruction) in program.instructions.enumerated() {
            guard case .window(let geometry) = instruction.operation else { continue }
            tables[index] = WindowTable(
                geometry, input: BlockList(PositionGrid(program.values[instruction.inputs[0]].spatial), .aligned),
                output: BlockList(PositionGrid(program.values[index + 1].spatial), .aligned))
        }
        return tables
    }

    /// - Parameters:
    ///   - x: the point's numbers, positions × channels; NaN where masked.
    ///   - pattern: its adjacency [V, V], for `aggregate`.
    func stats(_ x: UnsafePointer<Double>, pattern: UnsafeBufferPointer<Double>?) -> PointStats<Element> {
        var stats = unsafe input(x)
        pass.first = stats
        pass.second = stats
        if let masks = stats.masks { stats.masks = masks + program.instructions.indices.map { _ in [] } }
        // Masks and plain variances of the layers in slabs come first, as these layers run together.
        var hasRunSlabs = false
        let rest = Dictionary(uniqueKeysWithValues: pass.plan.restSlots.steps.map { ($0.instruction, $0) })
        for index in program.instructions.indices {
            let instruction = program.instructions[index]
            let value = index + 1
            setMask(index, &stats)
            if case .aggregate(let axes) = instruction.operation, let pattern = unsafe pattern {
                stats.aggregations[index] = unsafe aggregation(axes, program.values[instruction.inputs[0]].spatial, pattern)
            }
            let mixes = instruction.operation.mixesPositions
            if !mixes { plainVariances(index, &stats) }
            let step = rest[index]
            let weighs = instruction.operation.weighsPositions && needs.ownPairings[instruction.inputs[0]] == .full
            guard step != nil || weighs else { continue }
            pass.first = stats
            pass.second = stats
            if !hasRunSlabs {
                prepareSlabs(after: index, &stats)
                pass.runSlabs()
                hasRunSlabs = true
            }
            if weighs, case .attention(let layer, let own, let isAveraged) = instruction.operation {
                let weights = attentionWeights(layer, own, instruction.inputs[0], stats)
                stats.operators[index] = isAveraged ? weights?.meanRow(excluding: stats.mask(instruction.inputs[0])) : weights
                pass.first = stats
                pass.second = stats
            }
            guard let step else { continue }
            pass.runRest(step)
            if mixes, let plane = unsafe pass.restPlane(value, slot: step.output) {
                var variances = [Double](repeating: 0, count: program.values[value].positions)
                for position in variances.indices {
                    guard let place = unsafe plane.list.place(position, position) else { continue }
                    unsafe variances[position] = max(Double(plane.base[place]), 0)
                }
                stats.variances[value] = Variances(variances, PositionGrid(program.values[value].spatial))
            }
        }
        return stats
    }

    /// The layers in slabs run before the first of the others, and read variances that come later in the list.
    private func prepareSlabs(after index: Int, _ stats: inout PointStats<Element>) {
        let slabs = Set(pass.plan.slabSlots.steps.map(\.instruction))
        for later in program.instructions.indices where later > index && slabs.contains(later) {
            setMask(later, &stats)
            plainVariances(later, &stats)
        }
        pass.first = stats
        pass.second = stats
    }

    private func input(_ x: UnsafePointer<Double>) -> PointStats<Element> {
        let grid = PositionGrid(program.spatial)
        let storage = Storage<Element>(count: grid.rows * channels * grid.stride)
        unsafe storage.base.initialize(repeating: 0, count: storage.count)
        var variances = [Double](repeating: 0, count: grid.positions)
        var mask = [Bool](repeating: false, count: grid.positions)
        for position in 0..<grid.positions {
            let (row, column) = (position / grid.width, position % grid.width)
            var missing = 0
            for channel in 0..<channels {
                let number = unsafe x[position * channels + channel]
                if number.isNaN {
                    missing += 1
                    continue
                }
                let element = Element(number)
                unsafe storage.base[(row * channels + channel) * grid.stride + column] = element
                variances[position] += Double(element) * Double(element)
            }
            variances[position] /= Double(channels)
            mask[position] = missing == channels
        }
        var stats = PointStats<Element>(input: storage)
        stats.variances[0] = Variances(variances, grid)
        if mask.contains(true) { stats.masks = [mask] }
        return stats
    }

    private func setMask(_ index: Int, _ stats: inout PointStats<Element>) {
        let mask = mask(index, stats)
        stats.masks?[index + 1] = mask
    }

    /// Which positions of an instruction's output are masked.
    private func mask(_ index: Int, _ stats: PointStats<Element>) -> [Bool] {
        guard let masks = stats.masks else { return [] }
        let instruction = program.instructions[index]
        let inputs = instruction.inputs.map { masks[$0] }
        switch instruction.operation {
        case .window(let geometry): return geometry.centers.map { $0.map { inputs[0][$0] } ?? false }
        case .map(let map):
            if let centers = map.centers { return centers.map { $0.map { inputs[0][$0] } ?? false } }
            return map.rows.map { row in !row.isEmpty && row.allSatisfy { inputs[0][$0.position] } }
        case .flatten, .globalPool, .attention(_, _, isAveraged: true): return [inputs[0].allSatisfy { $0 }]
        case .aggregate: return [Bool](repeating: false, count: program.values[index + 1].positions)
        case .concatenate(let axis):
            var mask: [Bool] = []
            let extents = instruction.inputs.map { program.values[$0].spatial[axis] }
            forEachOrigin(program.values[index + 1].spatial, axis, extents) { mask.append(inputs[$0][$1]) }
            return mask
        default: return inputs[0].indices.map { position in inputs.allSatisfy { $0[position] } }
        }
    }

    /// Variances of an output whose positions do not mix, and what its layer prepares for pairs.
    private func plainVariances(_ index: Int, _ stats: inout PointStats<Element>) {
        let value = index + 1
        guard needs.variances.contains(value), stats.variances[value] == nil else { return }
        let instruction = program.instructions[index]
        let inputs = instruction.inputs.compactMap { stats.variances[$0]?.values }
        guard inputs.count == instruction.inputs.count, var q = inputs.first else { return }
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
            guard let table = windows[index], let before = stats.variances[instruction.inputs[0]] else { return }
            q = slide(table, before, geometry)
            if needs.pairings[value] == .full || needs.ownPairings[value] == .full { stats.windowSums[index] = sums(table, before) }
        case .concatenate(let axis):
            q = []
            let extents = instruction.inputs.map { program.values[$0].spatial[axis] }
            forEachOrigin(program.values[value].spatial, axis, extents) { q.append(inputs[$0][$1]) }
        case .layerNorm(let axes, let epsilon):
            let scales = norms(q, axes, epsilon, instruction.inputs[0], stats)
            for p in q.indices { q[p] *= scales[p].squared }
            stats.scales[index] = Variances(scales, PositionGrid(program.values[value].spatial))
        case .dropout(let keep): for p in q.indices { q[p] /= keep }
        case .flatten: q = [q.reduce(0, +) / Double(q.count)]
        case .map(let map): q = map.rows.map { row in row.first.map { $0.weight.squared * inputs[0][$0.position] } ?? 0 }
        case .isolate: break
        case .attention, .aggregate, .globalPool: return
        }
        if let mask = stats.mask(value) { for p in q.indices where mask[p] { q[p] = 0 } }
        stats.variances[value] = Variances(q, PositionGrid(program.values[value].spatial))
    }

    /// Variances after a window: means of those in it, zeros beyond the edges.
    private func slide(_ table: WindowTable, _ before: Variances<Element>, _ geometry: WindowGeometry) -> [Double] {
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

    private func combined(_ inputs: [[Double]], _ weights: [Double]) -> [Double] {
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

    /// ζ: the mechanism applied to the scores of a point's positions, along the keys.
    private func attentionWeights(
        _ layer: SelfAttention, _ channels: Int?, _ value: Int, _ stats: PointStats<Element>
    ) -> Matrix<Element>? {
        guard let slot = pass.plan.restSlots.slots[value], let plane = unsafe pass.restPlane(value, slot: slot) else { return nil }
        let covariance = unsafe pass.dense(plane, plane.base, isDistance: needs.isDistance[value])
        let scores = PositionalCovariance(layer, channels: channels, spatial: program.values[value].spatial).interpolate(covariance)
        let scale = layer.keyStd * layer.queryStd
        let mask = stats.mask(value)
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

    /// The operator x ← Aᵀ x over some spatial axes, the identity over the others.
    private func aggregation(_ axes: [Int], _ spatial: [Int], _ pattern: UnsafeBufferPointer<Double>) -> SpatialMap {
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
        let rows = places.map { target in
            (groups[target.rest] ?? []).compactMap { source in
                let weight = unsafe pattern[places[source].node * nodes + target.node]
                return weight == 0 ? nil : SpatialMap.Entry(position: source, weight: weight)
            }
        }
        return SpatialMap(input: places.count, rows: rows)
    }
}

/// For each position of branches joined along an axis, its branch and its position there.
func forEachOrigin(_ spatial: [Int], _ axis: Int, _ extents: [Int], _ body: (_ branch: Int, _ position: Int) -> Void) {
    forEachIndex(spatial) { index in
        var index = index
        var branch = 0
        while index[axis] >= extents[branch] {
            index[axis] -= extents[branch]
            branch += 1
        }
        var shape = spatial
        shape[axis] = extents[branch]
        body(branch, flatIndex(index, shape))
    }
}

extension Matrix where Element: KernelScalar {
    /// The mean [1, columns] of the rows that are not masked; zeros where all are.
    fileprivate func meanRow(excluding mask: [Bool]?) -> Matrix {
        var sums = [Double](repeating: 0, count: columns)
        var count = 0
        for row in 0..<rows where mask?[row] != true {
            for column in 0..<columns { sums[column] += Double(self[row, column]) }
            count += 1
        }
        return Matrix(rows: 1, columns: columns, sums.map { Element($0 / Double(max(count, 1))) })
    }
}
