import Architecture
import KernelLoops
import LinearAlgebra

/// What a covariance is the inner product of, position by position.
struct PositionFeatures: Sendable {
    var count: Int
    /// Feature k of position p at [p · count + k].
    var values: [Double]

    init(count: Int, positions: Int) {
        self.count = count
        values = [Double](repeating: 0, count: count * positions)
    }

    /// Adds `weight` times the features of a position of others, from feature `offset` on.
    mutating func add(_ weight: Double, _ others: PositionFeatures, _ source: Int, to position: Int, at offset: Int = 0) {
        for k in 0..<others.count { values[position * count + offset + k] += weight * others.values[source * others.count + k] }
    }
}

extension PointStatsBuilder {
    /// x / √channels.
    func setInputFeatures(_ x: UnsafePointer<Double>, channels: Int, _ stats: inout PointStats<Element>) {
        guard needs.features[0] != nil else { return }
        var features = PositionFeatures(count: channels, positions: program.values[0].positions)
        let scale = 1 / Double(channels).squareRoot()
        for k in features.values.indices {
            let number = unsafe x[k]
            features.values[k] = number.isNaN ? 0 : number * scale
        }
        stats.features[0] = features
    }

    /// The features of an instruction's output, and where positions were mixed their variances and unit vectors.
    func setFeatures(_ index: Int, _ stats: inout PointStats<Element>) throws {
        let value = index + 1
        let instruction = program.instructions[index]
        guard let count = needs.features[value] else { return }
        let inputs = try instruction.inputs.map { try needed(stats.features[$0], "features") }
        let positions = program.values[value].positions
        var result = PositionFeatures(count: count, positions: positions)
        let first = inputs[0]
        func mix(_ map: SpatialMap) {
            for p in 0..<map.count { map.forEachEntry(of: p) { result.add($1, first, $0, to: p) } }
        }
        func join(_ weights: [Double]) {
            var offset = 0
            for (input, weight) in zip(inputs, weights) {
                for p in 0..<positions { result.add(weight.squareRoot(), input, p, to: p, at: offset) }
                offset += input.count
            }
        }
        func addConstant(_ constant: Double) {
            guard constant > 0 else { return }
            for p in 0..<positions { result.values[p * count + count - 1] = constant.squareRoot() }
        }
        switch instruction.operation {
        case .affine(let step):
            for p in 0..<positions { result.add(step.weight.squareRoot(), first, p, to: p) }
            addConstant(step.bias)
        case .window: setWindow(try needed(windows[index], "a window's table"), first, &result)
        case .sum: join(inputs.map { _ in 1 })
        case .concatenateChannels(let weights): join(weights)
        case .concatenate(let axis):
            var place = 0
            let offsets = inputs.indices.map { k in inputs[..<k].reduce(0) { $0 + $1.count } }
            forEachOrigin(program.values[value].spatial, axis, instruction.inputs.map { program.values[$0].spatial[axis] }) { branch, source in
                result.add(1, inputs[branch], source, to: place, at: offsets[branch])
                place += 1
            }
        case .layerNorm:
            let scales = try needed(stats.scales[index], "scales of layer_norm").values
            for p in 0..<positions { result.add(scales[p], first, p, to: p) }
        case .map(let map): mix(map)
        case .aggregate: mix(try needed(stats.aggregations[index], "a pattern"))
        case .flatten:
            let before = program.values[instruction.inputs[0]].positions
            for p in 0..<before { result.add(1 / Double(before).squareRoot(), first, p, to: 0, at: p * first.count) }
        case .globalPool(let reduction):
            let mask = stats.mask(instruction.inputs[0])
            let kept = (0..<program.values[instruction.inputs[0]].positions).filter { mask?[$0] != true }
            for p in kept { result.add(reduction == .sum ? 1 : 1 / Double(kept.count), first, p, to: 0) }
        case .attention(let layer, let channels, _):
            let weights = try needed(stats.operators[index], "weights of attention")
            let spread = (layer.outputStd * layer.valueStd).magnitude
            let mask = stats.mask(instruction.inputs[0])
            var (own, embedding) = (1.0, 0.0)
            if layer.embedsValues {
                (own, embedding) = PositionalCovariance(layer, channels: channels, spatial: program.values[instruction.inputs[0]].spatial).weights
            }
            for p in 0..<positions {
                for key in 0..<weights.columns where mask?[key] != true {
                    let weight = spread * Double(weights[p, key])
                    result.add(weight * own.squareRoot(), first, key, to: p)
                    if embedding > 0 { result.values[p * count + first.count + key] += weight * embedding.squareRoot() }
                }
            }
            addConstant(layer.biasStd?.squared ?? 0)
        case .activation, .isolate, .product, .dropout: throw KernelFault("features behind what has none")
        }
        if let mask = stats.mask(value) {
            for p in 0..<positions where mask[p] { for k in 0..<count { result.values[p * count + k] = 0 } }
        }
        stats.features[value] = result
        if instruction.operation.mixesPositions {
            setUnits(value, result, &stats)
            try setCancellation(index, &stats)
        }
    }

    private func setWindow(_ table: WindowTable, _ input: PositionFeatures, _ result: inout PositionFeatures) {
        let (grid, output, taps) = (table.input.grid, table.output.grid, table.inner.window)
        for row in 0..<output.rows {
            for tap in 0..<table.rowTaps {
                let source = Int(table.rows[row * table.rowTaps + tap])
                guard source >= 0 else { continue }
                for x in 0..<output.width {
                    for k in 0..<taps {
                        guard let place = table.inner.source(x, k) else { continue }
                        result.add(
                            table.scale.squareRoot(), input, source * grid.width + place, to: row * output.width + x,
                            at: (tap * taps + k) * input.count)
                    }
                }
            }
        }
    }

    private func setUnits(_ value: Int, _ features: PositionFeatures, _ stats: inout PointStats<Element>) {
        let grid = PositionGrid(program.values[value].spatial)
        let units = Storage<Element>(count: grid.rows * features.count * grid.stride)
        unsafe units.base.initialize(repeating: 0, count: units.count)
        var variances = [Double](repeating: 0, count: grid.positions)
        var unit = [Element](repeating: 0, count: features.count)
        for p in variances.indices {
            let norm = unsafe features.values.withUnsafeBufferPointer { numbers in
                unsafe unit.withUnsafeMutableBufferPointer { unit in
                    guard let from = numbers.baseAddress, let to = unit.baseAddress else { return 0.0 }
                    return unsafe Element.normalize(from + p * features.count, to, features.count)
                }
            }
            variances[p] = norm.squared
            let start = p / grid.width * features.count * grid.stride + p % grid.width
            for k in 0..<features.count { unsafe units.base[start + k * grid.stride] = unit[k] }
        }
        stats.units[value] = units
        stats.variances[value] = Variances(variances, grid)
    }
}
