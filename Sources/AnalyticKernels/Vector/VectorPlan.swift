import Activations
import Architecture
import KernelLoops
import LinearAlgebra

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
    /// See `KernelProgram.guardsScale`.
    let guardsScale: [Bool]
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
        guardsScale = program.guardsScale
        isRandom = program.instructions.contains { if case .dropout = $0.operation { true } else { false } }
        isNear = program.nonnegativeValues { if case .affine = $0 { true } else { false } }
    }
}

extension VectorPlan {
    /// Rows of a tile that a thread has in hand, and bytes of the rest, that nobody counts: a megabyte a thread, whatever is asked.
    private static let (smallSlots, smallBytes) = (8, 1 << 16)

    /// Bytes of what is worked out of the points at every layer, and of the rows that as many threads have in hand.
    func workingBytes<Element: KernelScalar>(points: Int, threads: Int, as _: Element.Type) -> Int {
        let size = Double(MemoryLayout<Element>.stride)
        // Variances and tangent kernels of the values that are needed at one time.
        var each = 16.0 * Double(slots.slotCount + 1)
        for instruction in program.instructions {
            switch instruction.operation {
            case .affine(let step): each += step.bias > 0 ? 3 * size : size
            case .activation(let step):
                if step.abRelu != nil { continue }
                each += 7 * size + Double(24 + step.dual.pointBytes)
            default: each += size * Double(instruction.inputs.count)
            }
        }
        let rows = 2 * Double(TilePass<Element>.side) * Double(max(slots.slotCount - Self.smallSlots, 0)) * size
        let padded = Double(points) + 2 * Double(PointSet<Element>.rowPadding)
        return Int(min(max(each * padded + rows * Double(threads) - Double(Self.smallBytes), 0), 0x1p62))
    }
}
