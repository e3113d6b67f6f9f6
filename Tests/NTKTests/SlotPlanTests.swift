import Activations
import Testing

@testable import Architecture

/// Values in as few places as their lifetimes allow: the steps are followed with the name of each value in the place of its numbers.
struct SlotPlanTests {
    private static func program(_ layer: Layer, spatial: [Int] = []) throws -> KernelProgram {
        try KernelCompiler.compile(layer, spatial: spatial, channels: 3, meter: CompilationMeter())
    }

    private static let dense = Layer.dense(Affine())

    static let networks: [Layer] = [
        .mlp(depth: 3),
        .serial([dense, .residual([.activation(.relu), dense]), dense]),
        .serial([dense, .fanOut(3), .parallel([dense, .serial([dense, .activation(.erf(a: 1, b: 1, c: 0)), dense]), .identity]), .fanInSum, dense]),
        .serial([.fanOut(2), .parallel([dense, .serial([dense, .activation(.relu), dense])]), .fanInConcat(.channel), dense]),
        .serial([dense, .residual([.activation(.relu), dense, .residual([.activation(.relu), dense])]), dense]),
    ]

    @Test(arguments: networks) func everyStepFindsItsInputs(network: Layer) throws {
        let program = try Self.program(network)
        let plan = SlotPlan(program, instructions: Array(program.instructions.indices), kept: [program.output])
        var values = [Int?](repeating: nil, count: plan.slotCount)
        for (value, slot) in plan.initial { values[slot] = value }
        #expect(plan.initial == [0: 0])
        for step in plan.steps {
            let instruction = program.instructions[step.instruction]
            #expect(step.inputs.map { values[$0] } == instruction.inputs.map { $0 }, "step \(step.instruction)")
            // A value that is written while the inputs are read has a place of its own.
            if !instruction.operation.isInPlace { #expect(!step.inputs.contains(step.output)) }
            values[step.output] = step.instruction + 1
        }
        #expect(plan.steps.count == program.instructions.count)
        let slot = try #require(plan.slots[program.output])
        #expect(values[slot] == program.output)
    }

    /// One place for a chain, for all its layers work in place; two with a branch that waits.
    @Test func thereAreNoMorePlacesThanValuesAtOneTime() throws {
        func count(_ layer: Layer) throws -> Int {
            let program = try Self.program(layer)
            return SlotPlan(program, instructions: Array(program.instructions.indices), kept: [program.output]).slotCount
        }
        #expect(try count(.mlp(depth: 5)) == 1)
        #expect(try count(.repeated(.serial([Self.dense, .activation(.relu)]), count: 50)) == 1)
        let residual = Layer.residual([.activation(.relu), Self.dense])
        // The sum is written beside both of its inputs.
        #expect(try count(.serial([Self.dense, residual, Self.dense])) == 3)
        #expect(try count(.serial([Self.dense, .repeated(residual, count: 20)])) == 3)
    }

    @Test func whatIsKeptIsNotWrittenOver() throws {
        let program = try Self.program(.mlp(depth: 4))
        let kept: Set<Int> = [0, 2, 5, program.output]
        let plan = SlotPlan(program, instructions: Array(program.instructions.indices), kept: kept)
        var values = [Int?](repeating: nil, count: plan.slotCount)
        values[0] = 0
        for step in plan.steps { values[step.output] = step.instruction + 1 }
        for value in kept { #expect(try values[#require(plan.slots[value])] == value) }
        #expect(Set(plan.slots.values).count == kept.count && plan.slotCount <= kept.count + 1)
    }

    @Test func whatDoesNotRunTakesNoPlace() throws {
        let program = try Self.program(.mlp(depth: 4))
        let plan = SlotPlan(program, instructions: [3, 4], initial: [3], kept: [5])
        #expect(plan.steps.map(\.instruction) == [3, 4] && plan.slotCount == 1 && plan.initial == [3: 0] && plan.slots == [5: 0])
    }
}
