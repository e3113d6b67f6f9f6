/// Which pairs of positions every value has to hold, worked out from the output back: as few as give the right answer.
struct SpatialNeeds: Sendable {
    /// For pairs of points: one entry for each value.
    private(set) var pairings: [Pairing]
    /// For a point with itself, where its variances come from pairs of its positions; `none` where they follow by themselves.
    private(set) var ownPairings: [Pairing]
    /// Values whose variances q[p] = K(x, x)[p, p] are needed.
    private(set) var variances: Set<Int> = []
    /// Whether a value is held as squared distances q1 + q2 − 2 K, or as K itself.
    let isDistance: [Bool]
    /// Whether Θ is known to be zero, before any layer with weights.
    let isThetaZero: [Bool]
    /// Whether no covariance of a value can be negative, as behind a relu.
    let isNonnegative: [Bool]

    init(_ program: KernelProgram) {
        var isDistance = [true]
        var isThetaZero = [true]
        for instruction in program.instructions {
            let distances = instruction.inputs.allSatisfy { isDistance[$0] }
            switch instruction.operation {
            case .activation: isDistance.append(true)
            case .affine, .window, .isolate, .layerNorm, .dropout, .sum, .concatenateChannels, .concatenate, .flatten: isDistance.append(distances)
            case .map(let map): isDistance.append(distances && map.isSelection)
            case .product, .attention, .aggregate, .globalPool: isDistance.append(false)
            }
            switch instruction.operation {
            case .affine(let step): isThetaZero.append(isThetaZero[instruction.inputs[0]] && step.input == 0 && step.constant == 0)
            case .window: isThetaZero.append(isThetaZero[instruction.inputs[0]])
            default: isThetaZero.append(false)
            }
        }
        self.isDistance = isDistance
        self.isThetaZero = isThetaZero
        isNonnegative = program.nonnegativeValues {
            switch $0 {
            case .affine, .window, .sum, .concatenateChannels: true
            default: false
            }
        }
        pairings = [Pairing](repeating: .none, count: program.values.count)
        ownPairings = pairings
        pairings[program.output] = .aligned
        for index in program.instructions.indices.reversed() { visit(program, index) }
    }

    private mutating func visit(_ program: KernelProgram, _ index: Int) {
        let instruction = program.instructions[index]
        let output = index + 1
        let isComputed = pairings[output] > .none || ownPairings[output] > .none
        if isComputed {
            if isDistance[output] { variances.insert(output) }
            for input in instruction.inputs where isDistance[input] { variances.insert(input) }
            switch instruction.operation {
            case .activation, .dropout: variances.formUnion(instruction.inputs)
            // The scales are worked out with the variances of the output.
            case .layerNorm: variances.insert(output)
            case .attention where instruction.operation.weighsPositions: ownPairings[instruction.inputs[0]] = .full
            default: break
            }
        }
        if variances.contains(output) {
            if instruction.operation.mixesPositions {
                ownPairings[output] = max(ownPairings[output], .aligned)
            } else {
                variances.formUnion(instruction.inputs)
            }
        }
        for input in instruction.inputs {
            pairings[input] = max(pairings[input], instruction.operation.neededPairing(pairings[output]))
            ownPairings[input] = max(ownPairings[input], instruction.operation.neededPairing(ownPairings[output]))
        }
        // What the own pass now computes may itself need variances.
        if ownPairings[output] > .none && !isComputed { visit(program, index) }
    }
}

extension KernelProgram.Operation {
    /// Whether K of a position with itself comes from pairs of different positions.
    var mixesPositions: Bool {
        switch self {
        case .map(let map): !map.isSelection
        case .attention, .aggregate, .globalPool: true
        default: false
        }
    }

    /// Whether the pairs of a point's own positions give the weights by which it combines them.
    var weighsPositions: Bool {
        if case .attention(let layer, _, _) = self { layer.linearScaling } else { false }
    }

    /// What an input must hold so that the output holds `output`.
    func neededPairing(_ output: Pairing) -> Pairing {
        guard output > .none else { return .none }
        return switch self {
        case .isolate: .aligned
        case .map(let map): map.isSelection ? output : .full
        case .attention, .aggregate, .globalPool: .full
        case .flatten: .aligned
        default: output
        }
    }
}
