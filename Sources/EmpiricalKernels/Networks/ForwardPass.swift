internal import Architecture
internal import Glibc
internal import LinearAlgebra

/// The values of a network at some points, kept for the backward pass.
///
/// Tiles are blocks of points; each takes its points through all layers, so that what a layer made is in the cache when the next reads it.
struct ForwardPass<Element: Scalar>: Sendable {
    let program: LayerProgram
    let weights: NetworkWeights<Element>
    /// Points.
    let count: Int
    /// The adjacency of each point [count, V · V], where the network aggregates.
    let patterns: Storage<Element>?
    /// Of each value [count, positions, channels].
    let values: [Storage<Element>]
    /// 1/√(variance + ε) of the instructions that normalize, [count, groups].
    let inverseStds: [Int: Storage<Element>]

    /// - Parameters:
    ///   - rows: the points of `x` that take part.
    init(
        _ program: LayerProgram, _ weights: NetworkWeights<Element>, _ x: Matrix<Double>, patterns: Matrix<Double>?, rows: Range<Int>,
        on executor: any TileExecutor
    ) throws {
        self.program = program
        self.weights = weights
        count = rows.count
        self.patterns = patterns.map { Self.converted($0, rows) }
        values = program.values.map { Storage<Element>(count: rows.count * $0.size) }
        var inverseStds: [Int: Storage<Element>] = [:]
        for (index, instruction) in program.instructions.enumerated() {
            if case .normalize(_, let groups, _) = instruction.operation { inverseStds[index] = Storage(count: rows.count * groups) }
        }
        self.inverseStds = inverseStds
        let side = program.blockSide
        let blocks = TileGrid(rows: rows.count, columns: 1, side: side, upperOnly: false).tiles.map(\.rows)
        try executor.forEach(blocks.count) { [self] index in
            let block = blocks[index]
            let size = program.values[0].size
            let source = unsafe x.base + (rows.lowerBound + block.lowerBound) * size
            let target = unsafe values[0].base + block.lowerBound * size
            for place in 0..<block.count * size { unsafe target[place] = Element(source[place]) }
            for instruction in program.instructions.indices { run(instruction, block) }
        }
    }

    /// The output [count, positions, channels].
    var output: Storage<Element> { values[program.output] }

    private static func converted(_ matrix: Matrix<Double>, _ rows: Range<Int>) -> Storage<Element> {
        let target = Storage<Element>(count: rows.count * matrix.columns)
        for place in 0..<target.count { unsafe target.base[place] = Element(matrix.base[rows.lowerBound * matrix.columns + place]) }
        return target
    }

    /// The first element of a value of a point.
    func pointer(_ value: Int, _ point: Int) -> UnsafeMutablePointer<Element> {
        unsafe values[value].base + point * program.values[value].size
    }

    private func run(_ index: Int, _ block: Range<Int>) {
        let instruction = program.instructions[index]
        let output = program.values[index + 1]
        let target = unsafe pointer(index + 1, block.lowerBound)
        let total = block.count * output.size
        let source = unsafe instruction.inputs.first.map { unsafe pointer($0, block.lowerBound) } ?? target
        switch instruction.operation {
        case .linear(let step): unsafe linear(step, source, target, block.count)
        case .map(let map):
            for point in 0..<block.count {
                unsafe Positions.apply(map, source + point * map.input * output.channels, target + point * output.size, output.channels)
            }
        case .activation(let activation): unsafe ActivationLoop.apply(activation, source, target, total)
        case .sum, .product:
            unsafe target.update(from: source, count: total)
            for input in instruction.inputs.dropFirst() {
                let other = unsafe pointer(input, block.lowerBound)
                if case .sum = instruction.operation {
                    for place in 0..<total { unsafe target[place] += other[place] }
                } else {
                    for place in 0..<total { unsafe target[place] *= other[place] }
                }
            }
        case .concatenate(let outer, let lengths):
            let length = lengths.reduce(0, +)
            var start = 0
            for (input, own) in zip(instruction.inputs, lengths) {
                let piece = unsafe pointer(input, block.lowerBound)
                for row in 0..<block.count * outer { unsafe (target + row * length + start).update(from: piece + row * own, count: own) }
                start += own
            }
        case .transpose:
            let value = program.values[instruction.inputs[0]]
            for point in 0..<block.count {
                unsafe Positions.transpose(source + point * value.size, target + point * value.size, value.positions, value.channels)
            }
        case .reshape: unsafe target.update(from: source, count: total)
        case .normalize(let groups, let groupCount, let epsilon):
            guard let stds = inverseStds[index] else { preconditionFailure("made with the values") }
            for point in 0..<block.count {
                unsafe NormalizationLoops.forward(
                    groups, groupCount, epsilon, source + point * output.size, target + point * output.size,
                    stds.base + (block.lowerBound + point) * groupCount)
            }
        case .scale(let weight, let bias, let places):
            let weight = unsafe weight.map { unsafe weights.values[$0].base }
            let bias = unsafe bias.map { unsafe weights.values[$0].base }
            for point in 0..<block.count {
                for element in 0..<output.size {
                    let place = point * output.size + element
                    unsafe target[place] = source[place] * (weight?[Int(places[element])] ?? 1) + (bias?[Int(places[element])] ?? 0)
                }
            }
        case .embedding(let parameter, let factor):
            let embedding = unsafe weights.values[parameter].base
            for point in 0..<block.count {
                for element in 0..<output.size { unsafe target[point * output.size + element] = Element(factor) * embedding[element] }
            }
        case .scores(let heads, let factor):
            let width = program.values[instruction.inputs[0]].channels
            let (positions, depth) = (output.channels, width / heads)
            for point in block {
                let (queries, keys) = unsafe (pointer(instruction.inputs[0], point), pointer(instruction.inputs[1], point))
                for head in 0..<heads {
                    unsafe Element.gemmTransposed(
                        positions, positions, depth, alpha: Element(factor), queries + head * depth, width, keys + head * depth, width, beta: 0,
                        pointer(index + 1, point) + head * positions * positions, positions)
                }
            }
        case .softmax:
            for row in 0..<block.count * output.positions {
                unsafe NormalizationLoops.softmax(source + row * output.channels, target + row * output.channels, output.channels)
            }
        case .attend(let heads):
            let (positions, depth) = (output.positions, output.channels / heads)
            for point in block {
                let (scores, values) = unsafe (pointer(instruction.inputs[0], point), pointer(instruction.inputs[1], point))
                for head in 0..<heads {
                    unsafe Element.gemm(
                        positions, depth, positions, alpha: 1, scores + head * positions * positions, positions, values + head * depth,
                        output.channels, beta: 0, pointer(index + 1, point) + head * depth, output.channels)
                }
            }
        case .aggregate(let groups):
            guard let patterns else { preconditionFailure("patterns were checked") }
            for point in 0..<block.count {
                let nodes = groups[0].count
                unsafe Positions.aggregate(
                    groups, patterns.base + (block.lowerBound + point) * nodes * nodes, isTransposed: true, source + point * output.size,
                    target + point * output.size, output.channels)
            }
        }
    }

    /// weightScale · patch Wᵀ + biasScale · b for `count` points.
    private func linear(
        _ step: LayerProgram.LinearStep, _ source: UnsafeMutablePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        let (positions, width, patch) = (step.outputPositions, step.outputChannels, step.patch)
        let weight = unsafe weights.values[step.weight].base
        let scratch = step.taps == nil ? nil : Storage<Element>(count: count * positions * patch)
        if let scratch {
            for point in 0..<count {
                unsafe Positions.gather(
                    step, source + point * step.inputPositions * step.inputChannels, scratch.base + point * positions * patch)
            }
        }
        let patches = unsafe scratch?.base ?? source
        let scale = Element(step.weightScale)
        var beta: Element = 0
        if let bias = step.bias {
            let bias = unsafe weights.values[bias].base
            let length = step.isLocal ? positions * width : width
            let factor = Element(step.biasScale)
            for row in 0..<count * positions * width / length {
                for element in 0..<length { unsafe target[row * length + element] = factor * bias[element] }
            }
            beta = 1
        }
        if step.isLocal {
            for position in 0..<positions {
                unsafe Element.gemmTransposed(
                    count, width, patch, alpha: scale, patches + position * patch, positions * patch, weight + position * width * patch, patch,
                    beta: beta, target + position * width, positions * width)
            }
        } else {
            unsafe Element.gemmTransposed(
                count * positions, width, patch, alpha: scale, patches, patch, weight, patch, beta: beta, target, width)
        }
        _ = scratch
    }
}
