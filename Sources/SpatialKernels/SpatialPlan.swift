import Activations
import Architecture
import KernelLoops
import LinearAlgebra

/// How a program runs over the pairs of positions of two points: first the layers that never mix offsets, slab by slab, then the rest.
///
/// Convolutions of stride 1 along the leading axes and everything elementwise keep the offset between the rows of a pair of positions. So
/// the P² pairs fall into independent slabs, one for each offset, and each slab runs through all these layers inside the second-level
/// cache (32 × 32 positions: two planes of 128 kB in float32) before the next one is begun.
struct SpatialPlan: Sendable {
    let program: KernelProgram
    let forms: [PairForm]
    let isNonnegative: [Bool]
    let watched, toldByGaps: Set<Int>
    let isThetaZero: [Bool]
    let pairings: [Pairing]
    let slabs: [SpatialStage]
    /// Slots of the slabs' values; the same for each slab.
    let slabSlots: SlotPlan
    /// By step of the slabs: where a window, an affine map and a relu follow each other and nobody else reads what is between.
    let slabChains: [Int: Chain]
    let restChains: [Int: Chain]
    /// Values that leave the slabs, with what becomes of them.
    let boundary: [Boundary]
    let rest: SpatialStage
    let restSlots: SlotPlan

    struct Chain: Sendable {
        var input: Int
        var affine: KernelProgram.AffineStep
        var abRelu: AbRelu
        /// Whether it is relu, up to a factor, of what has no negative covariance.
        var isNear: Bool
    }

    struct Boundary: Sendable {
        var value: Int
        /// Only its sum over all pairs of positions is asked for.
        var isSummed: Bool
    }

    /// Elements of the largest value in the slabs, and of the largest after them.
    var slabElements: Int { slabs.reduce(0) { max($0, $1.lists.values.reduce(0) { max($0, $1.elements) }) } }
    var restElements: Int { rest.lists.values.reduce(0) { max($0, $1.elements) } }

    /// - Parameter pairings: what each value must hold; `none`: the value is not computed.
    init(
        _ program: KernelProgram, _ needs: SpatialNeeds, pairings: [Pairing], kept: Set<Int>, tables: SpatialTables
    ) throws(ArchitectureError) {
        self.program = program
        self.pairings = pairings
        forms = needs.forms
        isNonnegative = needs.isNonnegative
        watched = needs.watched
        toldByGaps = needs.toldByGaps
        isThetaZero = needs.isThetaZero
        let needed = program.instructions.indices.filter { pairings[$0 + 1] > .none }
        let inSlabs = Self.slabValues(program, pairings, needed)
        let slabInstructions = needed.filter { inSlabs.contains($0 + 1) }
        let restInstructions = needed.filter { !inSlabs.contains($0 + 1) }
        var consumers: [Int: [KernelProgram.Operation]] = [:]
        for index in restInstructions {
            for input in program.instructions[index].inputs where inSlabs.contains(input) {
                consumers[input, default: []].append(program.instructions[index].operation)
            }
        }
        var boundary: [Boundary] = []
        for value in inSlabs.sorted() where consumers[value] != nil || kept.contains(value) {
            let isSummed = !kept.contains(value) && (consumers[value] ?? []).allSatisfy { if case .globalPool = $0 { true } else { false } }
            boundary.append(Boundary(value: value, isSummed: isSummed))
        }
        self.boundary = boundary
        slabSlots = SlotPlan(program, instructions: slabInstructions, initial: [0], kept: Set(boundary.map(\.value)))
        let initial = inSlabs.isEmpty ? [0] : boundary.filter { !$0.isSummed }.map(\.value)
        restSlots = SlotPlan(program, instructions: restInstructions, initial: initial, kept: kept)
        slabChains = Self.chains(program, slabSlots, needs)
        restChains = Self.chains(program, restSlots, needs)
        rest = try SpatialStage(program, values: Set(initial).union(restInstructions.map { $0 + 1 }), restInstructions, tables) {
            value throws(ArchitectureError) in try tables.list(program.values[value].spatial, pairings[value])
        }
        slabs = inSlabs.isEmpty ? [] : try Self.slabs(program, inSlabs, slabInstructions, tables)
    }

    /// One stage for each offset between rows of positions.
    private static func slabs(
        _ program: KernelProgram, _ values: Set<Int>, _ instructions: [Int], _ tables: SpatialTables
    ) throws(ArchitectureError) -> [SpatialStage] {
        let wraps = wraps(program, instructions)
        let lead = PositionGrid(program.values[0].spatial).lead.map { wraps ? $0 : 2 * $0 - 1 }
        let count = lead.clampedProduct
        try tables.meter.take(count.multipliedClamped(by: 64 + 16 * program.values.count), at: "")
        var slabs: [SpatialStage] = []
        try forEachIndex(lead) { index throws(ArchitectureError) in
            try tables.meter.step(program.values.count)
            let offset = zip(index, lead).map { wraps ? $0 : $0 - ($1 + 1) / 2 + 1 }
            var lists: [[Int]: BlockList] = [:]
            slabs.append(
                try SpatialStage(program, values: values, instructions, tables) { value throws(ArchitectureError) in
                    let spatial = program.values[value].spatial
                    if let known = lists[spatial] { return known }
                    let list = try BlockList(PositionGrid(spatial), offset: offset, wraps: wraps, meter: tables.meter)
                    lists[spatial] = list
                    return list
                })
        }
        return slabs
    }

    private static func chains(_ program: KernelProgram, _ plan: SlotPlan, _ needs: SpatialNeeds) -> [Int: Chain] {
        var chains: [Int: Chain] = [:]
        for position in plan.steps.indices.dropLast(2) {
            let (first, second, third) = (plan.steps[position], plan.steps[position + 1], plan.steps[position + 2])
            let input = program.instructions[first.instruction].inputs[0]
            guard case .window = program.instructions[first.instruction].operation, needs.forms[input] == .distance,
                case .affine(let affine) = program.instructions[second.instruction].operation,
                case .activation(let step) = program.instructions[third.instruction].operation, let abRelu = step.abRelu,
                // The loops watch angles where Θ is zero, as before most first activations.
                needs.isThetaZero[input] || !needs.watched.contains(third.instruction),
                // Each in place on the one before, so that nobody else reads it.
                second.inputs == [first.output], second.output == first.output, third.inputs == [first.output], third.output == first.output
            else { continue }
            chains[position] = Chain(
                input: input, affine: affine, abRelu: abRelu, isNear: abRelu.isRelu && needs.isNonnegative[second.instruction + 1])
        }
        return chains
    }

    /// Values that are computed slab by slab: from the input on, as long as no offsets mix. Empty where that is of no use.
    private static func slabValues(_ program: KernelProgram, _ pairings: [Pairing], _ needed: [Int]) -> Set<Int> {
        guard pairings[0] == .full, program.values[0].spatial.count > 1 else { return [] }
        var values: Set<Int> = [0]
        for index in needed {
            let instruction = program.instructions[index]
            guard pairings[index + 1] == .full, instruction.inputs.allSatisfy(values.contains) else { continue }
            switch instruction.operation {
            case .affine, .activation, .sum, .product, .concatenateChannels, .layerNorm, .dropout: values.insert(index + 1)
            case .window(let geometry) where geometry.axes.dropLast().allSatisfy({ $0.stride == 1 && !$0.isTransposed }):
                values.insert(index + 1)
            default: break
            }
        }
        guard values.count > 1 else { return [] }
        // Around a ring the offset is known modulo its length only, which must then be one length throughout.
        let instructions = needed.filter { values.contains($0 + 1) }
        let leads = Set(values.map { Array(program.values[$0].spatial.dropLast()) })
        return wraps(program, instructions) && leads.count > 1 ? [] : values
    }

    private static func wraps(_ program: KernelProgram, _ instructions: [Int]) -> Bool {
        instructions.contains { index in
            if case .window(let geometry) = program.instructions[index].operation { geometry.axes.contains(where: \.wraps) } else { false }
        }
    }
}

/// By what the table of a window is told: equal lists of a stage are one.
private struct WindowKey: Hashable {
    var geometry: WindowGeometry
    var input, output: ObjectIdentifier
}

/// The blocks of every value of a stage, and the tables of its windows.
struct SpatialStage: Sendable {
    let lists: IndexTable<BlockList>
    let windows: IndexTable<WindowTable>

    init(
        _ program: KernelProgram, values: Set<Int>, _ instructions: [Int], _ tables: SpatialTables,
        list: (Int) throws(ArchitectureError) -> BlockList
    ) throws(ArchitectureError) {
        var lists: IndexTable<BlockList> = [:]
        for value in values { lists[value] = try list(value) }
        self.lists = lists
        var own: [WindowKey: WindowTable] = [:]
        var windows: IndexTable<WindowTable> = [:]
        for index in instructions {
            guard case .window(let geometry) = program.instructions[index].operation, let output = lists[index + 1] else { continue }
            let input = program.instructions[index].inputs[0]
            let aligned = try tables.list(program.values[input].spatial, .aligned)
            let held = output.pairing == .full ? lists[input] ?? aligned : aligned
            let key = WindowKey(geometry: geometry, input: ObjectIdentifier(held), output: ObjectIdentifier(output))
            let table =
                if let known = own[key] { known } else {
                    try WindowTable(geometry, rows: tables.leadingRows(geometry), input: held, output: output, meter: tables.meter)
                }
            own[key] = table
            windows[index] = table
        }
        self.windows = windows
    }
}
