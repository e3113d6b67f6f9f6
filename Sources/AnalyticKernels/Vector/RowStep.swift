import Architecture
import KernelLoops
import LinearAlgebra

/// One step of a row with what it needs of the program and of both point sets looked up: so that no row counts references, and the many
/// short rows of small kernels cost what their pairs cost.
@unsafe struct RowStep<Element: KernelScalar> {
    @unsafe enum Kind {
        case affine(AffineRow<Element>)
        /// `φ(u) = a min(u, 0) + b max(u, 0)`; `isNear`: relu of what is never negative.
        case abRelu(asymmetry: Element, power: Element, isNear: Bool)
        /// An affine map without a bias and then relu, with Θ.
        case affineRelu(AffineRow<Element>, power: Element, isNear: Bool)
        /// Everything else, by its place in the program and in the plan of slots.
        case other(instruction: Int, place: Int)
    }

    var kind: Kind
    /// The slot of what is copied to `output` first.
    var copied: Int?
    var output: Int
}

/// An affine map: the standard deviations before it, and, where a bias is added, the shares of both terms.
@unsafe struct AffineRow<Element: KernelScalar> {
    var weight, input, constant: Element
    var own, others: UnsafeMutablePointer<Element>
    var shares:
        (s1: UnsafeMutablePointer<Element>, e1: UnsafeMutablePointer<Element>, s2: UnsafeMutablePointer<Element>, e2: UnsafeMutablePointer<Element>)?
    var isNear: Bool

    /// Whether it changes Θ alone.
    var keepsGaps: Bool { unsafe shares == nil && weight != 0 }

    func apply(_ pairs: PairRun, _ row: RowSlot<Element>) {
        let (i, j, count) = (pairs.i, pairs.j, pairs.count)
        if let theta = unsafe row.theta { unsafe Element.affineTheta(theta, row.z, count, weight, input, constant, own[i], others + j) }
        if let shares = unsafe shares {
            if unsafe isNear {
                unsafe Element.nearConstant(row.z, count, shares.s1[i], shares.e1[i], shares.s2 + j, shares.e2 + j)
            } else {
                unsafe Element.addConstant(row.z, count, shares.s1[i], shares.e1[i], shares.s2 + j, shares.e2 + j)
            }
        } else if unsafe !keepsGaps {
            // Nothing of the inputs is left: no covariance.
            unsafe row.z.update(repeating: 1, count: count)
        }
    }
}

extension TilePass {
    /// The steps of every row. They point into the stages of both sets, and are good for as long as those live.
    func rowSteps() -> [RowStep<Element>] {
        var steps: [RowStep<Element>] = unsafe []
        for (place, step) in plan.slots.steps.enumerated() {
            let isCopied = step.inputs.count == 1 && step.inputs[0] != step.output
            let next = unsafe RowStep(kind: kind(step.instruction, place), copied: isCopied ? step.inputs[0] : nil, output: step.output)
            if hasNTK, !isCopied, let last = unsafe steps.last, unsafe last.output == next.output, let both = unsafe together(last.kind, next.kind) {
                unsafe steps[steps.count - 1].kind = unsafe both
            } else {
                unsafe steps.append(next)
            }
        }
        return unsafe steps
    }

    /// One step for two of the same slot, where there is one.
    private func together(_ first: RowStep<Element>.Kind, _ second: RowStep<Element>.Kind) -> RowStep<Element>.Kind? {
        guard case .affine(let affine) = unsafe first, case .abRelu(asymmetry: 1, let power, let isNear) = unsafe second, unsafe affine.keepsGaps
        else { return nil }
        return unsafe .affineRelu(affine, power: power, isNear: isNear)
    }

    private func kind(_ index: Int, _ place: Int) -> RowStep<Element>.Kind {
        let instruction = plan.program.instructions[index]
        switch (instruction.operation, x1.stages[index], x2.stages[index]) {
        case (.affine(let affine), .affine(let std1, let shares1), .affine(let std2, let shares2)):
            var row = unsafe AffineRow(
                weight: Element(affine.weight), input: Element(affine.input), constant: Element(affine.constant), own: std1.base,
                others: std2.base, shares: nil, isNear: plan.isNear[index + 1])
            if let shares1, let shares2 { unsafe row.shares = (shares1.s.base, shares1.e.base, shares2.s.base, shares2.e.base) }
            return unsafe .affine(row)
        case (.activation(let step), .abRelu, .abRelu):
            guard let abRelu = step.abRelu else { break }
            return unsafe .abRelu(
                asymmetry: Element(abRelu.asymmetry), power: Element(abRelu.power), isNear: plan.isNear[instruction.inputs[0]] && abRelu.isRelu)
        default: break
        }
        return unsafe .other(instruction: index, place: place)
    }
}
