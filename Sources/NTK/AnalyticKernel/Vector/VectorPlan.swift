/// What tiles of pairs need of a program, whatever the points: made once for a kernel.
struct VectorPlan: Sendable {
    let program: KernelProgram
    let slots: SlotPlan
    /// Values whose gaps are never negative.
    let isNear: [Bool]
    /// Of each value the last instruction that takes it; nil for the output, which is kept, and for what nobody takes.
    let lastUses: [Int?]

    init(_ program: KernelProgram) {
        self.program = program
        slots = SlotPlan(program, instructions: Array(program.instructions.indices), kept: [program.output])
        var lastUses = [Int?](repeating: nil, count: program.instructions.count + 1)
        for (index, instruction) in program.instructions.enumerated() {
            for input in instruction.inputs { lastUses[input] = index }
        }
        lastUses[program.output] = nil
        self.lastUses = lastUses
        isNear = program.nonnegativeValues { if case .affine = $0 { true } else { false } }
    }
}
