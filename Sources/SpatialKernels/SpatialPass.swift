import Architecture
import KernelLoops
import LinearAlgebra

/// Runs a plan over the pairs of positions of two points. One of these belongs to one thread: it holds the buffers.
@safe
final class SpatialPass<Element: KernelScalar> {
    let plan: SpatialPlan
    let program: KernelProgram
    let channels: Int
    let hasTheta: Bool
    /// The two points; in a pass over a point with itself, the same.
    var first: PointStats<Element>
    var second: PointStats<Element>
    /// Whether both are one sample, which dropout can tell from two equal ones.
    var isOwn = false
    /// Whether squared distances hold too few digits of this pair's angles, see `is_blurred` in convolutions.inc.
    var isBlurred = false
    /// Sum over activations of the largest error of an angle that rounding of covariances of mixed positions leaves.
    var uncertainty = 0.0
    /// The error of an angle so far, as the activations behind it have made it.
    var angleError = 0.0
    /// Sums over all pairs of positions of the values that leave the slabs as sums.
    var sums: [Int: (distance: Double, theta: Double)] = [:]

    private let slabBuffers: [Storage<Element>]
    private let restBuffers: [Storage<Element>]
    private let slabElements: Int
    private let restElements: Int
    let scratch = SpatialScratch<Element>()
    /// By step of the layers after the slabs.
    private var alignedChains: [AlignedChain<Element>?]
    private let tapRows: UnsafeMutableBufferPointer<Int32>

    init(_ plan: SpatialPlan, channels: Int, hasTheta: Bool, empty: PointStats<Element>) {
        self.plan = plan
        program = plan.program
        self.channels = channels
        self.hasTheta = hasTheta
        first = empty
        second = empty
        let planes = hasTheta ? 2 : 1
        slabElements = plan.slabElements
        restElements = plan.restElements
        slabBuffers = plan.slabs.isEmpty ? [] : (0..<plan.slabSlots.slotCount).map { [slabElements] _ in Storage(count: planes * slabElements) }
        restBuffers = (0..<plan.restSlots.slotCount).map { [restElements] _ in Storage(count: planes * restElements) }
        let tables = plan.restChains.keys.map { plan.restSlots.steps[$0].instruction }.compactMap { plan.rest.windows[$0] }
        unsafe tapRows = .allocate(capacity: tables.reduce(0) { $0 + $1.rows.count })
        unsafe alignedChains = []
        if hasTheta { prepareAlignedChains() }
    }

    deinit { unsafe tapRows.deallocate() }

    private func prepareAlignedChains() {
        unsafe alignedChains = [AlignedChain<Element>?](repeating: nil, count: plan.restSlots.steps.count)
        let extended = plan.restChains.keys.compactMap { plan.rest.windows[plan.restSlots.steps[$0].instruction] }.map(\.extendedStride).max() ?? 0
        let room = scratch.elements(4, extended)
        var filled = 0
        for (position, chain) in plan.restChains {
            let step = plan.restSlots.steps[position]
            guard let table = plan.rest.windows[step.instruction], let input = unsafe restPlane(chain.input, slot: step.inputs[0]),
                let output = unsafe restPlane(step.instruction + 1, slot: step.output)
            else { continue }
            let rows = unsafe UnsafeMutableBufferPointer(rebasing: tapRows[filled..<filled + table.rows.count])
            _ = unsafe rows.initialize(from: table.rows)
            filled += table.rows.count
            guard let base = rows.baseAddress else { continue }
            unsafe alignedChains[position] = AlignedChain(
                chain, step.instruction, table, rows: base, isThetaZero: plan.isThetaZero[chain.input], input, output, extended: room.base)
        }
    }

    /// One value in a buffer.
    @unsafe struct Plane {
        let value: Int
        let list: BlockList
        /// Squared distances or covariances.
        let base: UnsafeMutablePointer<Element>
        let theta: UnsafeMutablePointer<Element>?

        func block(_ index: Int) -> UnsafeMutablePointer<Element> { unsafe base + index * list.blockSize }
        func thetaBlock(_ index: Int) -> UnsafeMutablePointer<Element>? { unsafe theta.map { unsafe $0 + index * list.blockSize } }
    }

    func restPlane(_ value: Int, slot: Int) -> Plane? {
        guard let list = plan.rest.lists[value] else { return nil }
        let base = unsafe restBuffers[slot].base
        return unsafe Plane(value: value, list: list, base: base, theta: hasTheta ? base + restElements : nil)
    }

    private func slabPlane(_ value: Int, slot: Int, _ stage: SpatialStage) -> Plane? {
        guard let list = stage.lists[value] else { return nil }
        let base = unsafe slabBuffers[slot].base
        return unsafe Plane(value: value, list: list, base: base, theta: hasTheta ? base + slabElements : nil)
    }

    /// Everything but the last part: the input, and the layers that keep offsets.
    func runSlabs() throws {
        sums = [:]
        isBlurred = false
        uncertainty = 0
        angleError = 0
        guard !plan.slabs.isEmpty else {
            if let slot = plan.restSlots.initial[0], let plane = unsafe restPlane(0, slot: slot) { try unsafe loadInput(plane) }
            return
        }
        let canFuse = hasTheta && first.masks == nil && second.masks == nil
        for stage in plan.slabs {
            if CurrentWork.isCancelled { return }
            if let plane = unsafe slabPlane(0, slot: 0, stage) { try unsafe loadInput(plane) }
            var fused = 0
            for (position, step) in plan.slabSlots.steps.enumerated() {
                if fused > 0 {
                    fused -= 1
                    continue
                }
                if canFuse, let chain = plan.slabChains[position], let input = unsafe slabPlane(chain.input, slot: step.inputs[0], stage),
                    let output = unsafe slabPlane(step.instruction + 1, slot: step.output, stage), let table = stage.windows[step.instruction]
                {
                    try unsafe run(chain, step.instruction, table, input, output)
                    fused = 2
                    continue
                }
                let instruction = program.instructions[step.instruction]
                let inputs = try unsafe zip(instruction.inputs, step.inputs).map {
                    try unsafe needed(slabPlane($0, slot: $1, stage), "an input's plane")
                }
                let output = try unsafe needed(slabPlane(step.instruction + 1, slot: step.output, stage), "an output's plane")
                try unsafe run(step.instruction, inputs, output, stage)
            }
            for boundary in plan.boundary {
                let slot = try needed(plan.slabSlots.slots[boundary.value], "a boundary's place")
                let plane = try unsafe needed(slabPlane(boundary.value, slot: slot, stage), "a boundary's plane")
                if boundary.isSummed {
                    try unsafe add(plane)
                } else {
                    let slot = try needed(plan.restSlots.initial[boundary.value], "a boundary's place behind")
                    unsafe copy(plane, to: try needed(restPlane(boundary.value, slot: slot), "a boundary's plane behind"))
                }
            }
        }
    }

    /// One of the layers after the slabs.
    func runRest(_ step: SlotPlan.Step) throws {
        let instruction = program.instructions[step.instruction]
        // A value that left the slabs as a sum has no plane.
        let inputs = try unsafe zip(instruction.inputs, step.inputs).compactMap { value, slot in
            try unsafe sums[value] == nil ? needed(restPlane(value, slot: slot), "an input's plane") : nil
        }
        let output = try unsafe needed(restPlane(step.instruction + 1, slot: step.output), "an output's plane")
        try unsafe run(step.instruction, inputs, output, plan.rest)
    }

    /// K and Θ of the pair that is set.
    func runAll() throws -> (covariance: Double, theta: Double) {
        try runSlabs()
        let canFuse = hasTheta && first.masks == nil && second.masks == nil
        let (own, other) = (first.addresses, second.addresses)
        var position = 0
        let count = plan.restSlots.steps.count
        while position < count, !CurrentWork.isCancelled {
            if canFuse, let chain = unsafe alignedChains[position] {
                try unsafe own.withUnsafeBufferPointer { own in
                    try unsafe other.withUnsafeBufferPointer { other in
                        if let own = own.baseAddress, let other = other.baseAddress, try unsafe chain.run(own, other) { isBlurred = true }
                    }
                }
                position += 3
                continue
            }
            let step = plan.restSlots.steps[position]
            if canFuse, let chain = plan.restChains[position], let table = plan.rest.windows[step.instruction],
                let input = unsafe restPlane(chain.input, slot: step.inputs[0]),
                let output = unsafe restPlane(step.instruction + 1, slot: step.output)
            {
                try unsafe run(chain, step.instruction, table, input, output)
                position += 3
            } else {
                try runRest(step)
                position += 1
            }
        }
        return try result()
    }

    func result() throws -> (covariance: Double, theta: Double) {
        let slot = try needed(plan.restSlots.slots[program.output], "the output's place")
        let plane = try unsafe needed(restPlane(program.output, slot: slot), "the output's plane")
        var covariance = unsafe Double(plane.base[0])
        switch plan.forms[program.output] {
        case .covariance:
            let error = rounding(program.output)
            uncertainty += error
            // In float64 there are digits enough.
            if MemoryLayout<Element>.size == 4, error > 20 * Double(Element.ulpOfOne) { isBlurred = true }
        // A point of no variance has no covariance, of which rounding would leave something.
        case .distance:
            let (q1, q2) = (try variance(first, program.output), try variance(second, program.output))
            covariance = q1 == 0 || q2 == 0 ? 0 : (q1 + q2 - covariance) / 2
        case .gap: covariance = try unsafe Double(GapPairs(self, program.output).covariance(plane.list.row(0, 0), 0, plane.base[0]))
        }
        return unsafe (covariance, plane.theta.map { unsafe Double($0[0]) } ?? 0)
    }

    private func variance(_ stats: PointStats<Element>, _ value: Int) throws -> Double {
        try needed(needed(stats.variances[value], "the output's variance").values.first, "the output's variance")
    }

    private func loadInput(_ plane: Plane) throws {
        let stride = unsafe plane.list.grid.stride * channels
        let grid = unsafe plane.list.grid
        if plan.forms[0] == .gap {
            try unsafe loadGaps(plane, first.input, second.input, count: channels)
        } else if unsafe plane.list.pairing != .full {
            let shape = BlockShape(rows: 1, stride: grid.stride, isAligned: true)
            for row in 0..<grid.rows {
                unsafe Element.inputDistances(
                    plane.base + row * grid.stride, shape, first.input.base + row * stride, second.input.base + row * stride, channels: channels)
            }
        } else {
            for (index, pair) in unsafe plane.list.pairs.enumerated() {
                unsafe Element.inputDistances(
                    plane.block(index), plane.list.shape, first.input.base + pair.first * stride, second.input.base + pair.second * stride,
                    channels: channels)
            }
        }
        unsafe remask(plane)
        if let theta = unsafe plane.theta, !thetaIsHandled(0) {
            unsafe theta.initialize(repeating: 0, count: plane.list.elements)
        }
    }

    /// Whether what comes after the value knows that its Θ is zero.
    private func thetaIsHandled(_ value: Int) -> Bool {
        program.instructions.indices.allSatisfy { index in
            guard plan.pairings[index + 1] > .none, program.instructions[index].inputs.contains(value) else { return true }
            return switch program.instructions[index].operation {
            case .window: thetaIsHandled(index + 1)
            case .affine: true
            default: false
            }
        }
    }

    private func add(_ plane: Plane) throws {
        var sum = sums[unsafe plane.value] ?? (0, 0)
        let list = unsafe plane.list
        let isGap = unsafe plan.forms[plane.value] == .gap
        if isGap { sum.distance += try unsafe covarianceSum(plane) }
        for index in list.pairs.indices {
            if !isGap {
                sum.distance += unsafe Element.blockSum(plane.block(index), rows: list.rowCount, columns: list.grid.width, stride: list.grid.stride)
            }
            if let theta = unsafe plane.thetaBlock(index) {
                sum.theta += unsafe Element.blockSum(theta, rows: list.rowCount, columns: list.grid.width, stride: list.grid.stride)
            }
        }
        unsafe sums[plane.value] = sum
    }

    private func copy(_ plane: Plane, to target: Plane) {
        for (index, pair) in unsafe plane.list.pairs.enumerated() {
            guard let place = unsafe target.list.block(pair.first, pair.second) else { continue }
            unsafe target.block(place).update(from: plane.block(index), count: plane.list.blockSize)
            if let theta = unsafe target.thetaBlock(place), let source = unsafe plane.thetaBlock(index) {
                unsafe theta.update(from: source, count: plane.list.blockSize)
            }
        }
    }
}

/// Buffers that grow to what is asked for.
final class SpatialScratch<Element: KernelScalar> {
    private var elements: [Int: Storage<Element>] = [:]
    private var numbers: [Int: Storage<Double>] = [:]

    /// A buffer of at least `count` elements, the same for the same name.
    func elements(_ name: Int, _ count: Int) -> Storage<Element> {
        if let storage = elements[name], storage.count >= count { return storage }
        let storage = Storage<Element>(count: count)
        elements[name] = storage
        return storage
    }

    /// Room for the addresses of `count` blocks.
    func pointers(_ count: Int) -> UnsafeMutablePointer<UnsafePointer<Element>?> {
        let storage = numbers(-1, count)
        return unsafe UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: UnsafePointer<Element>?.self)
    }

    func numbers(_ name: Int, _ count: Int) -> Storage<Double> {
        if let storage = numbers[name], storage.count >= count { return storage }
        let storage = Storage<Double>(count: count)
        numbers[name] = storage
        return storage
    }
}
