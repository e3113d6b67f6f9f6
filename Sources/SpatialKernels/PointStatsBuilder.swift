import Activations
import Architecture
import KernelLoops
import LinearAlgebra

/// Works out a point's variances, operators and masks at every value: by each position's own formula, or, after positions mix, from the
/// pairs of the point's positions with each other.
@safe
final class PointStatsBuilder<Element: KernelScalar> {
    let program: KernelProgram
    let needs: SpatialNeeds
    private let channels: Int
    private let inputMaps: [SpatialMap]
    let pass: SpatialPass<Element>
    let windows: [Int: WindowTable]
    let extended: Storage<Double>
    private let guardsScale: [Bool]

    init(
        _ program: KernelProgram, _ needs: SpatialNeeds, ownPlan: SpatialPlan, windows: [Int: WindowTable], channels: Int, inputMaps: [SpatialMap]
    ) {
        self.inputMaps = inputMaps
        self.program = program
        self.needs = needs
        self.channels = channels
        self.windows = windows
        guardsScale = program.guardsScale
        extended = Storage(count: Self.extendedElements(windows))
        pass = SpatialPass(ownPlan, channels: channels, hasTheta: false, empty: PointStats(input: Storage(count: 0)))
        pass.isOwn = true
    }

    var valueCount: Int { program.values.count }

    /// Numbers that the sums over windows work in.
    static func extendedElements(_ windows: [Int: WindowTable]) -> Int {
        windows.values.reduce(0) { max($0, $1.extendedStride + 3 * $1.input.elements + $1.output.elements) }
    }

    /// The windows of the program over single positions.
    static func windows(_ program: KernelProgram, _ tables: SpatialTables) throws(ArchitectureError) -> [Int: WindowTable] {
        var windows: [Int: WindowTable] = [:]
        for (index, instruction) in program.instructions.enumerated() {
            guard case .window(let geometry) = instruction.operation else { continue }
            windows[index] = try tables.window(
                geometry, input: program.values[instruction.inputs[0]].spatial, output: program.values[index + 1].spatial)
        }
        return windows
    }

    /// - Parameters:
    ///   - x: the point's numbers, positions × channels; NaN where masked.
    ///   - pattern: its adjacency [V, V], for `aggregate`.
    func stats(_ x: UnsafePointer<Double>, pattern: UnsafeBufferPointer<Double>?) throws -> PointStats<Element> {
        guard !inputMaps.isEmpty else { return try unsafe statsAfterMaps(x, pattern: pattern) }
        let numbers = unsafe mapped(x)
        return try unsafe numbers.withUnsafeBufferPointer { numbers in
            try unsafe statsAfterMaps(needed(numbers.baseAddress, "positions"), pattern: pattern)
        }
    }

    private func statsAfterMaps(_ x: UnsafePointer<Double>, pattern: UnsafeBufferPointer<Double>?) throws -> PointStats<Element> {
        var stats = unsafe input(x)
        unsafe setInputFeatures(x, channels: channels, &stats)
        pass.first = stats
        pass.second = stats
        if let masks = stats.masks { stats.masks = masks + program.instructions.indices.map { _ in [] } }
        // Masks and plain variances of the layers in slabs come first, as these layers run together.
        var hasRunSlabs = false
        let rest = Dictionary(uniqueKeysWithValues: pass.plan.restSlots.steps.map { ($0.instruction, $0) })
        for index in program.instructions.indices {
            let instruction = program.instructions[index]
            let value = index + 1
            setMask(index, &stats)
            if case .aggregate(let axes) = instruction.operation {
                let pattern = try unsafe needed(pattern, "a pattern")
                stats.aggregations[index] = unsafe aggregation(axes, program.values[instruction.inputs[0]].spatial, pattern)
            }
            let mixes = instruction.operation.mixesPositions
            if !mixes {
                try plainVariances(index, &stats)
                if stats.features[value] == nil { try setFeatures(index, &stats) }
                try setMagnitudes(index, &stats)
            }
            let step = rest[index]
            let weighs = instruction.operation.weighsPositions && needs.ownPairings[instruction.inputs[0]] == .full
            if step != nil || weighs {
                pass.first = stats
                pass.second = stats
                if !hasRunSlabs {
                    try prepareSlabs(after: index, &stats)
                    try pass.runSlabs()
                    hasRunSlabs = true
                    if pass.isBlurred { stats.isUneven = true }
                }
            }
            if weighs, case .attention(let layer, let own, let isAveraged) = instruction.operation {
                if blursScores(layer, instruction.inputs[0], stats) { stats.isUneven = true }
                let weights = try attentionWeights(layer, own, instruction.inputs[0], stats)
                stats.operators[index] = isAveraged ? weights.meanRow(excluding: stats.mask(instruction.inputs[0])) : weights
            }
            if mixes { try setFeatures(index, &stats) }
            guard let step else { continue }
            pass.first = stats
            pass.second = stats
            try pass.runRest(step)
            if pass.isBlurred { stats.isUneven = true }
            if mixes, needs.features[value] == nil {
                let plane = try unsafe needed(pass.restPlane(value, slot: step.output), "the plane of mixed positions")
                var variances = [Double](repeating: 0, count: program.values[value].positions)
                for position in variances.indices {
                    guard let place = unsafe plane.list.place(position, position) else { continue }
                    unsafe variances[position] = max(Double(plane.base[place]), 0)
                }
                stats.variances[value] = Variances(variances, PositionGrid(program.values[value].spatial))
                try setMagnitudes(index, &stats)
            }
        }
        stats.vanishes = program.instructions.indices.contains { guardsScale[$0] && vanishes($0, stats) }
        return stats
    }

    /// Whether a position's variance is below the range of numbers behind an instruction where no input's is.
    private func vanishes(_ index: Int, _ stats: PointStats<Element>) -> Bool {
        let inputs = program.instructions[index].inputs.compactMap { stats.variances[$0]?.values }
        guard let output = stats.variances[index + 1]?.values, inputs.count == program.instructions[index].inputs.count else { return false }
        let mask = stats.mask(index + 1)
        return output.indices.contains { position in
            output[position] < .leastNormalMagnitude && mask?[position] != true && inputs.allSatisfy { $0.count == output.count && $0[position] > 0 }
        }
    }

    /// The layers in slabs run before the first of the others, and read variances that come later in the list.
    private func prepareSlabs(after index: Int, _ stats: inout PointStats<Element>) throws {
        let slabs = Set(pass.plan.slabSlots.steps.map(\.instruction))
        for later in program.instructions.indices where later > index && slabs.contains(later) {
            setMask(later, &stats)
            try plainVariances(later, &stats)
            if stats.features[later + 1] == nil { try setFeatures(later, &stats) }
        }
        pass.first = stats
        pass.second = stats
    }

    private func input(_ x: UnsafePointer<Double>) -> PointStats<Element> {
        let grid = PositionGrid(program.spatial)
        let storage = Storage<Element>(count: grid.rows * channels * grid.stride)
        unsafe storage.base.initialize(repeating: 0, count: storage.count)
        var variances = [Double](repeating: 0, count: grid.positions)
        var mask = [Bool](repeating: false, count: grid.positions)
        for position in 0..<grid.positions {
            let (row, column) = (position / grid.width, position % grid.width)
            var missing = 0
            for channel in 0..<channels {
                let number = unsafe x[position * channels + channel]
                if number.isNaN {
                    missing += 1
                    continue
                }
                let element = Element(number)
                unsafe storage.base[(row * channels + channel) * grid.stride + column] = element
                variances[position] += Double(element) * Double(element)
            }
            variances[position] /= Double(channels)
            mask[position] = missing == channels
        }
        var stats = PointStats<Element>(input: storage)
        stats.largest = (variances.max() ?? 0).squareRoot()
        if needs.forms[0] == .gap { unsafe normalize(storage, grid, x, &variances) }
        stats.variances[0] = Variances(variances, grid)
        if mask.contains(true) { stats.masks = [mask] }
        return stats
    }

    /// The channels of each position as a unit vector, or zeros, and the variances where squares would not hold them.
    private func normalize(_ storage: Storage<Element>, _ grid: PositionGrid, _ x: UnsafePointer<Double>, _ variances: inout [Double]) {
        var (numbers, unit) = ([Double](repeating: 0, count: channels), [Element](repeating: 0, count: channels))
        for position in 0..<grid.positions {
            for channel in 0..<channels {
                let number = unsafe x[position * channels + channel]
                numbers[channel] = number.isNaN ? 0 : number
            }
            let norm = unsafe numbers.withUnsafeBufferPointer { numbers in
                unsafe unit.withUnsafeMutableBufferPointer { unit in
                    guard let from = numbers.baseAddress, let to = unit.baseAddress else { return 0.0 }
                    return unsafe Element.normalize(from, to, channels)
                }
            }
            variances[position] = (norm / Double(channels).squareRoot()).squared
            let start = position / grid.width * channels * grid.stride + position % grid.width
            for channel in 0..<channels { unsafe storage.base[start + channel * grid.stride] = unit[channel] }
        }
    }

    /// The point's numbers after the maps that stand first in the architecture; NaN in every channel of a masked position.
    private func mapped(_ x: UnsafePointer<Double>) -> [Double] {
        var numbers = unsafe Array(UnsafeBufferPointer(start: x, count: (inputMaps.first?.input ?? 0) * channels))
        for map in inputMaps {
            let masked = map.masked((0..<map.input).map { position in (0..<channels).allSatisfy { numbers[position * channels + $0].isNaN } })
            // A masked entry counts as zero.
            for place in numbers.indices where numbers[place].isNaN { numbers[place] = 0 }
            var next = [Double](repeating: 0, count: map.count * channels)
            for row in 0..<map.count {
                if masked[row] {
                    for channel in 0..<channels { next[row * channels + channel] = .nan }
                    continue
                }
                map.forEachEntry(of: row) { position, weight in
                    for channel in 0..<channels { next[row * channels + channel] += weight * numbers[position * channels + channel] }
                }
            }
            numbers = next
        }
        return numbers
    }

    private func setMask(_ index: Int, _ stats: inout PointStats<Element>) {
        let mask = mask(index, stats)
        stats.masks?[index + 1] = mask
    }

    /// Which positions of an instruction's output are masked.
    private func mask(_ index: Int, _ stats: PointStats<Element>) -> [Bool] {
        guard let masks = stats.masks else { return [] }
        let instruction = program.instructions[index]
        let inputs = instruction.inputs.map { masks[$0] }
        switch instruction.operation {
        case .window(let geometry): return geometry.masked(inputs[0])
        case .map(let map): return map.masked(inputs[0])
        case .flatten, .globalPool, .attention(_, _, isAveraged: true): return [inputs[0].allSatisfy { $0 }]
        case .aggregate: return [Bool](repeating: false, count: program.values[index + 1].positions)
        case .concatenate(let axis):
            var mask: [Bool] = []
            let extents = instruction.inputs.map { program.values[$0].spatial[axis] }
            forEachOrigin(program.values[index + 1].spatial, axis, extents) { mask.append(inputs[$0][$1]) }
            return mask
        default: return inputs[0].indices.map { position in inputs.allSatisfy { $0[position] } }
        }
    }
}

/// For each position of branches joined along an axis, its branch and its position there.
func forEachOrigin(_ spatial: [Int], _ axis: Int, _ extents: [Int], _ body: (_ branch: Int, _ position: Int) -> Void) {
    forEachIndex(spatial) { index in
        var index = index
        var branch = 0
        while index[axis] >= extents[branch] {
            index[axis] -= extents[branch]
            branch += 1
        }
        var shape = spatial
        shape[axis] = extents[branch]
        body(branch, flatIndex(index, shape))
    }
}
