/// What tiles of pairs need of a program, whatever the points: made once for a kernel.
struct VectorPlan: Sendable {
    let program: KernelProgram
    let slots: SlotPlan
    /// Values whose gaps are never negative.
    let isNear: [Bool]
    /// Of each value the last instruction that takes it; nil for the output, which is kept, and for what nobody takes.
    let lastUses: [Int?]
    /// Whether the angle behind some activation goes as the root of the angle before it, so that errors of small angles grow without bound.
    let isSharp: Bool
    /// Whether that holds of some points.
    let mayBeSharp: Bool
    /// Whether two samples of one point are not the same: dropout takes different parts of them.
    let isRandom: Bool

    init(_ program: KernelProgram) {
        self.program = program
        slots = SlotPlan(program, instructions: Array(program.instructions.indices), kept: [program.output])
        var lastUses = [Int?](repeating: nil, count: program.instructions.count + 1)
        for (index, instruction) in program.instructions.enumerated() {
            for input in instruction.inputs { lastUses[input] = index }
        }
        lastUses[program.output] = nil
        self.lastUses = lastUses
        isSharp = program.instructions.contains { if case .activation(let step) = $0.operation { step.dual.isSharp } else { false } }
        mayBeSharp = program.instructions.contains {
            if case .activation(let step) = $0.operation { step.dual.isSharp || step.dual.scaleRoot != nil } else { false }
        }
        isRandom = program.instructions.contains { if case .dropout = $0.operation { true } else { false } }
        isNear = program.nonnegativeValues { if case .affine = $0 { true } else { false } }
    }
}
