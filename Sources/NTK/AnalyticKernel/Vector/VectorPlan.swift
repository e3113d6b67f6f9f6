/// What tiles of pairs need of a program, whatever the points: made once for a kernel.
struct VectorPlan: Sendable {
    let program: KernelProgram
    let slots: SlotPlan
    /// Values whose gaps are never negative.
    let isNear: [Bool]

    init(_ program: KernelProgram) {
        self.program = program
        slots = SlotPlan(program, instructions: Array(program.instructions.indices), kept: [program.output])
        isNear = program.nonnegativeValues { if case .affine = $0 { true } else { false } }
    }
}
