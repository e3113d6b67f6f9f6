import Architecture

/// Which pairs of positions every value has to hold, worked out from the output back: as few as give the right answer.
struct SpatialNeeds: Sendable {
    /// For pairs of points: one entry for each value.
    private(set) var pairings: [Pairing]
    /// For a point with itself, where its variances come from pairs of its positions; `none` where they follow by themselves.
    private(set) var ownPairings: [Pairing]
    /// Values whose variances q[p] = K(x, x)[p, p] are needed.
    private(set) var variances: Set<Int> = []
    /// How the pairs of a value are held.
    let forms: [PairForm]
    /// By value, of how many features its covariance is the inner product, where these are few and positions are mixed before any activation: the
    /// gaps of such positions come from the features, so that rounding of what is summed up does not blur them.
    let features: [Int?]
    /// Values of which only covariances are held, but would be gaps if the input's pairs were.
    let toldByGaps: Set<Int>
    /// Whether Θ is known to be zero, before any layer with weights.
    let isThetaZero: [Bool]
    /// Activations that stand before every other, by their instruction, where pairs are held by squared distances: there is seen whether these
    /// tell a pair's angles well enough. Behind them no angle is smaller than the smallest of those that it comes from, but for a factor.
    let watched: Set<Int>
    /// Whether no covariance of a value can be negative, as behind a relu.
    let isNonnegative: [Bool]

    /// - Parameter form: of the input's pairs, and as long as positions are not mixed: squared distances or gaps.
    init(_ program: KernelProgram, _ form: PairForm, channels: Int) {
        features = form == .gap ? FeatureCounts(program, channels: channels).kept : program.values.map { _ in nil }
        let forms = Self.forms(program, form, features)
        let exact = form == .gap ? forms : Self.forms(program, .gap, FeatureCounts(program, channels: channels).kept)
        toldByGaps = Set(forms.indices.filter { forms[$0] == .covariance && exact[$0] == .gap })
        self.forms = forms
        var isThetaZero = [true]
        for instruction in program.instructions {
            switch instruction.operation {
            case .affine(let step): isThetaZero.append(isThetaZero[instruction.inputs[0]] && step.input == 0 && step.constant == 0)
            case .window: isThetaZero.append(isThetaZero[instruction.inputs[0]])
            default: isThetaZero.append(false)
            }
        }
        var watched: Set<Int> = []
        var isLinear = [true]
        for (index, instruction) in program.instructions.enumerated() {
            let begins = instruction.inputs.contains { isLinear[$0] && forms[$0] == .distance }
            if case .activation = instruction.operation {
                if begins { watched.insert(index) }
                isLinear.append(false)
            } else {
                isLinear.append(begins)
            }
        }
        self.watched = watched
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
        // Of what a sum of positions leaves of its terms the rounding is told.
        if forms[program.output] == .covariance, cancels(program, program.output) { variances.insert(program.output) }
        for index in program.instructions.indices.reversed() { visit(program, index) }
    }

    private static func forms(_ program: KernelProgram, _ form: PairForm, _ features: [Int?]) -> [PairForm] {
        var forms = [form]
        for instruction in program.instructions {
            let inputs = instruction.inputs.allSatisfy { forms[$0] == form } ? form : .covariance
            switch instruction.operation {
            case .activation: forms.append(form)
            case .affine, .window, .isolate, .layerNorm, .dropout, .sum, .concatenateChannels, .concatenate, .flatten: forms.append(inputs)
            case .map where !instruction.operation.mixesPositions: forms.append(inputs)
            case .map, .attention, .aggregate, .globalPool: forms.append(features[forms.count] != nil ? .gap : .covariance)
            case .product: forms.append(form == .gap ? inputs : .covariance)
            }
        }
        return forms
    }

    /// Whether a value's own variance may be far below what was summed up to it.
    private func cancels(_ program: KernelProgram, _ value: Int) -> Bool {
        guard value > 0 else { return false }
        let instruction = program.instructions[value - 1]
        return switch instruction.operation {
        case .activation, .isolate: false
        case .globalPool: !isNonnegative[instruction.inputs[0]] || cancels(program, instruction.inputs[0])
        case .map(let map) where map.isSelection: cancels(program, instruction.inputs[0])
        case .map, .attention, .aggregate: true
        default: instruction.inputs.contains { cancels(program, $0) }
        }
    }

    private mutating func visit(_ program: KernelProgram, _ index: Int) {
        let instruction = program.instructions[index]
        let output = index + 1
        let isComputed = pairings[output] > .none || ownPairings[output] > .none
        if isComputed {
            if forms[output] != .covariance { variances.insert(output) }
            for input in instruction.inputs where forms[input] != .covariance { variances.insert(input) }
            switch instruction.operation {
            case .activation, .dropout: variances.formUnion(instruction.inputs)
            // The scales are worked out with the variances of the output.
            case .layerNorm: variances.insert(output)
            case .attention where instruction.operation.weighsPositions: ownPairings[instruction.inputs[0]] = .full
            default: break
            }
        }
        if variances.contains(output) {
            if instruction.operation.mixesPositions && features[output] == nil {
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
