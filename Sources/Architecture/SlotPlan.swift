/// Where values live while a program runs: as few buffers as their lifetimes allow.
package struct SlotPlan: Sendable {
    package struct Step: Sendable {
        /// The instruction's place in the program.
        package var instruction: Int
        package var inputs: [Int]
        /// The same slot as the only input where the instruction works in place on a value that nobody else needs.
        package var output: Int
    }

    package private(set) var steps: [Step] = []
    package private(set) var slotCount: Int
    /// Slot of each value that is there at the start.
    package private(set) var initial: [Int: Int] = [:]
    /// Slot of each value that was kept to the end.
    package private(set) var slots: [Int: Int] = [:]

    /// - Parameters:
    ///   - instructions: those that run, in order; the others' values are not needed.
    ///   - initial: values that are there at the start, in slots 0, 1, ….
    ///   - kept: values that must be there at the end.
    package init(_ program: KernelProgram, instructions: [Int], initial: [Int] = [0], kept: Set<Int>) {
        slotCount = initial.count
        var uses: [Int: Int] = [:]
        for value in kept { uses[value, default: 0] += 1 }
        for index in instructions {
            for input in program.instructions[index].inputs { uses[input, default: 0] += 1 }
        }
        var slotOf: [Int: Int] = [:]
        for (slot, value) in initial.enumerated() { slotOf[value] = slot }
        self.initial = slotOf
        var free: [Int] = []
        for index in instructions {
            let instruction = program.instructions[index]
            let inputs = instruction.inputs.map { slotOf[$0] ?? 0 }
            for input in instruction.inputs { uses[input, default: 1] -= 1 }
            let output: Int
            if instruction.operation.isInPlace, uses[instruction.inputs[0]] == 0 {
                output = inputs[0]
                slotOf[instruction.inputs[0]] = nil
            } else {
                output = free.popLast() ?? slotCount
                slotCount = max(slotCount, output + 1)
                for input in Set(instruction.inputs) where uses[input] == 0 {
                    if let slot = slotOf.removeValue(forKey: input) { free.append(slot) }
                }
            }
            slotOf[index + 1] = output
            steps.append(Step(instruction: index, inputs: inputs, output: output))
        }
        slots = slotOf
    }
}

extension KernelProgram.Operation {
    /// Whether the result may stand where the only input stood.
    package var isInPlace: Bool {
        switch self {
        case .affine, .activation, .layerNorm, .dropout: true
        default: false
        }
    }
}
