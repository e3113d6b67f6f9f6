import Architecture
import LinearAlgebra

/// Derivatives of some outputs with respect to a value, at every point: [points, outputs, positions, channels].
///
/// As long as only linear layers lie between the value and the outputs, the derivative is the same at every point and stands once.
struct Cotangent<Element: Scalar>: Sendable {
    let storage: Storage<Element>
    let isShared: Bool
}

/// Carries cotangents from the outputs back through the layers of a forward pass, one instruction at a time from the last to the first.
struct BackwardPass<Element: Scalar>: Sendable {
    let forward: ForwardPass<Element>
    /// Outputs that are differentiated at the same time.
    let outputs: Int
    /// Values whose cotangents are of use.
    let isNeeded: [Bool]
    private var cotangents: [Int: Cotangent<Element>]

    /// - Parameters:
    ///   - start: the cotangent of the network's output.
    ///   - included: the parameters whose gradients are wanted.
    init(_ forward: ForwardPass<Element>, outputs: Int, start: Cotangent<Element>, included: Set<Int>) {
        self.forward = forward
        self.outputs = outputs
        isNeeded = forward.program.depending(on: included)
        cotangents = [forward.program.output: start]
    }

    /// The cotangent that the unit vectors of the chosen outputs make.
    static func unitVectors(_ program: LayerProgram, outputs: [Int]) -> Cotangent<Element> {
        let size = program.values[program.output].size
        let storage = Storage<Element>(zeros: outputs.count * size)
        for (row, output) in outputs.enumerated() { storage.set(row * size + output, 1) }
        return Cotangent(storage: storage, isShared: true)
    }

    /// The cotangent of what instruction `index` makes; nil if nothing depends on it.
    func cotangent(of index: Int) -> Cotangent<Element>? { cotangents[index + 1] }

    /// Passes the cotangent of what an instruction made on to its inputs, and forgets it.
    mutating func propagate(_ index: Int, on executor: any TileExecutor) throws {
        guard let cotangent = cotangents.removeValue(forKey: index + 1) else { return }
        let instruction = forward.program.instructions[index]
        for (position, input) in instruction.inputs.enumerated() where isNeeded[input] {
            let own = try derivative(instruction, index, position, cotangent, on: executor)
            if let other = cotangents[input] {
                cotangents[input] = try sum(own, other, forward.program.values[input].size, on: executor)
            } else {
                cotangents[input] = own
            }
        }
    }

    private func batches(_ isShared: Bool) -> Int { isShared ? outputs : outputs * forward.count }

    private func blocks(_ count: Int, positions: Int) -> [Range<Int>] {
        TileGrid(rows: count, columns: 1, side: max(1, 256 / positions), upperOnly: false).tiles.map(\.rows)
    }

    private func sum(
        _ first: Cotangent<Element>, _ second: Cotangent<Element>, _ size: Int, on executor: any TileExecutor
    ) throws -> Cotangent<Element> {
        let isShared = first.isShared && second.isShared
        let result = Storage<Element>(count: batches(isShared) * size)
        let blocks = blocks(batches(isShared), positions: 1)
        try executor.forEach(blocks.count) { [outputs] index in
            for batch in blocks[index] {
                let target = unsafe result.base + batch * size
                let a = unsafe first.storage.base + (first.isShared ? batch % outputs : batch) * size
                let b = unsafe second.storage.base + (second.isShared ? batch % outputs : batch) * size
                for place in 0..<size { unsafe target[place] = a[place] + b[place] }
            }
        }
        return Cotangent(storage: result, isShared: isShared)
    }

    /// What instruction `index` passes to its input at `position`.
    private func derivative(
        _ instruction: LayerProgram.Instruction, _ index: Int, _ position: Int, _ cotangent: Cotangent<Element>, on executor: any TileExecutor
    ) throws -> Cotangent<Element> {
        if case .reshape = instruction.operation { return cotangent }
        if case .sum = instruction.operation { return cotangent }
        let isShared = cotangent.isShared && instruction.operation.isLinear
        let input = forward.program.values[instruction.inputs[position]]
        let output = forward.program.values[index + 1]
        let result = Storage<Element>(count: batches(isShared) * input.size)
        let blocks = blocks(batches(isShared), positions: max(input.positions, output.positions))
        try executor.forEach(blocks.count) { tile in
            let block = blocks[tile]
            if case .linear(let step) = instruction.operation, !cotangent.isShared || isShared {
                unsafe linear(
                    step, cotangent.storage.base + block.lowerBound * output.size, result.base + block.lowerBound * input.size, block.count)
                return
            }
            let scratch = Storage<Element>(count: instruction.inputs.reduce(output.size) { max($0, forward.program.values[$1].size) })
            var scratchPoint = -1
            for batch in block {
                let point = batch / outputs
                let source = unsafe cotangent.storage.base + (cotangent.isShared ? batch % outputs : batch) * output.size
                let target = unsafe result.base + batch * input.size
                if case .activation(let activation) = instruction.operation {
                    // One derivative serves all outputs of a point.
                    if scratchPoint != point {
                        unsafe ActivationLoop.derivative(activation, forward.pointer(instruction.inputs[0], point), scratch.base, input.size)
                        scratchPoint = point
                    }
                    let slope = unsafe scratch.base
                    for place in 0..<input.size { unsafe target[place] = source[place] * slope[place] }
                } else {
                    unsafe pass(instruction, index, position, source, target, scratch.base, isShared ? 0 : point)
                }
            }
        }
        return Cotangent(storage: result, isShared: isShared)
    }

    /// One cotangent through one instruction.
    private func pass(
        _ instruction: LayerProgram.Instruction, _ index: Int, _ position: Int, _ source: UnsafeMutablePointer<Element>,
        _ target: UnsafeMutablePointer<Element>, _ scratch: UnsafeMutablePointer<Element>, _ point: Int
    ) {
        let input = forward.program.values[instruction.inputs[position]]
        let output = forward.program.values[index + 1]
        switch instruction.operation {
        case .map(let map):
            unsafe target.update(repeating: 0, count: input.size)
            unsafe Positions.applyTransposed(map, source, addingTo: target, input.channels)
        case .product:
            unsafe target.update(from: source, count: input.size)
            for (other, value) in instruction.inputs.enumerated() where other != position {
                let factor = unsafe forward.pointer(value, point)
                for place in 0..<input.size { unsafe target[place] *= factor[place] }
            }
        case .concatenate(let outer, let lengths):
            let start = lengths[..<position].reduce(0, +)
            let length = lengths.reduce(0, +)
            for row in 0..<outer {
                unsafe (target + row * lengths[position]).update(from: source + row * length + start, count: lengths[position])
            }
        case .transpose: unsafe Positions.transpose(source, target, input.channels, input.positions)
        case .normalize(let groups, let groupCount, _):
            guard let stds = forward.inverseStds[index] else { preconditionFailure("made with the values") }
            unsafe NormalizationLoops.backward(groups, groupCount, forward.pointer(index + 1, point), stds.base + point * groupCount, source, target)
        case .scale(let weight, _, let places):
            let weight = unsafe weight.map { unsafe forward.weights.values[$0].base }
            for place in 0..<input.size { unsafe target[place] = source[place] * (weight?[Int(places[place])] ?? 1) }
        case .scores(let heads, let factor):
            let other = unsafe forward.pointer(instruction.inputs[1 - position], point)
            let (positions, depth) = (output.channels, input.channels / heads)
            for head in 0..<heads {
                var scores = unsafe source + head * positions * positions
                if position == 1 {
                    unsafe Positions.transpose(scores, scratch, positions, positions)
                    unsafe scores = scratch
                }
                unsafe Element.gemm(
                    positions, depth, positions, alpha: Element(factor), scores, positions, other + head * depth, input.channels, beta: 0,
                    target + head * depth, input.channels)
            }
        case .softmax:
            let values = unsafe forward.pointer(index + 1, point)
            for row in 0..<output.positions {
                let start = row * output.channels
                unsafe NormalizationLoops.softmaxBackward(values + start, source + start, target + start, output.channels)
            }
        case .attend(let heads):
            let (positions, depth) = (output.positions, output.channels / heads)
            let other = unsafe forward.pointer(instruction.inputs[1 - position], point)
            for head in 0..<heads {
                let square = head * positions * positions
                if position == 0 {
                    unsafe Element.gemmTransposed(
                        positions, positions, depth, alpha: 1, source + head * depth, output.channels, other + head * depth, output.channels,
                        beta: 0, target + square, positions)
                } else {
                    unsafe Positions.transpose(other + square, scratch, positions, positions)
                    unsafe Element.gemm(
                        positions, depth, positions, alpha: 1, scratch, positions, source + head * depth, output.channels, beta: 0,
                        target + head * depth, output.channels)
                }
            }
        case .aggregate(let groups):
            guard let patterns = forward.patterns else { preconditionFailure("patterns were checked") }
            let nodes = groups[0].count
            unsafe Positions.aggregate(
                groups, patterns.base + point * nodes * nodes, isTransposed: false, source, target, input.channels)
        case .linear, .activation, .sum, .reshape, .embedding: preconditionFailure("passed on elsewhere, or without an input")
        }
    }

    /// weightScale · δ W, scattered to the positions of the patches.
    private func linear(
        _ step: LayerProgram.LinearStep, _ source: UnsafeMutablePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        let (positions, width, patch) = (step.outputPositions, step.outputChannels, step.patch)
        let weight = unsafe forward.weights.values[step.weight].base
        let scratch = step.taps == nil ? nil : Storage<Element>(count: count * positions * patch)
        let patches = unsafe scratch?.base ?? target
        let scale = Element(step.weightScale)
        if step.isLocal {
            for position in 0..<positions {
                unsafe Element.gemm(
                    count, patch, width, alpha: scale, source + position * width, positions * width, weight + position * width * patch, patch,
                    beta: 0, patches + position * patch, positions * patch)
            }
        } else {
            unsafe Element.gemm(count * positions, patch, width, alpha: scale, source, width, weight, patch, beta: 0, patches, patch)
        }
        guard scratch != nil else { return }
        let size = step.inputPositions * step.inputChannels
        unsafe target.update(repeating: 0, count: count * size)
        for batch in 0..<count { unsafe Positions.scatter(step, patches + batch * positions * patch, addingTo: target + batch * size) }
    }
}

extension LayerProgram.Operation {
    /// Whether its derivative is the same at every point.
    var isLinear: Bool {
        switch self {
        case .linear, .map, .sum, .concatenate, .transpose, .reshape, .scale, .embedding: true
        case .activation, .product, .normalize, .scores, .softmax, .attend, .aggregate: false
        }
    }
}
