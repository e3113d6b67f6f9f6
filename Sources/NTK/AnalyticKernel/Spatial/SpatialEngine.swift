import LinearAlgebra

/// A program prepared for pairs that are held in one form.
struct SpatialEngine: Sendable {
    let program: KernelProgram
    let channels: Int
    let needs: SpatialNeeds
    private let pairPlan: SpatialPlan
    private let ownPlan: SpatialPlan
    private let windows: [Int: WindowTable]

    init(_ program: KernelProgram, channels: Int, _ form: PairForm) {
        self.program = program
        self.channels = channels
        needs = SpatialNeeds(program, form, channels: channels)
        pairPlan = SpatialPlan(program, needs, pairings: needs.pairings, kept: [program.output])
        let weighed = program.instructions.filter(\.operation.weighsPositions).map { $0.inputs[0] }
        ownPlan = SpatialPlan(
            program, needs, pairings: needs.ownPairings, kept: Set(weighed.filter { [needs] in needs.ownPairings[$0] == .full }))
        windows = PointStatsBuilder<Double>.windows(program)
    }

    func builder<Element: KernelScalar>(_: Element.Type) -> PointStatsBuilder<Element> {
        PointStatsBuilder(program, needs, ownPlan: ownPlan, windows: windows, channels: channels)
    }

    func pass<Element: KernelScalar>(_: Element.Type, hasTheta: Bool) -> SpatialPass<Element> {
        SpatialPass(pairPlan, channels: channels, hasTheta: hasTheta, empty: PointStats(input: Storage(count: 0)))
    }

    func workingBytes<Element: KernelScalar>(points: Int, threads: Int, as _: Element.Type) -> Int {
        let size = MemoryLayout<Element>.stride
        let passes = (pairPlan.passElements(planes: 2) + ownPlan.passElements(planes: 1)).multipliedReportingOverflow(by: threads * size)
        let all = statsBytes(points: points, as: Element.self)
        let held =
            all <= SpatialKernel.heldBytes
            ? all : statsBytes(points: min(points, 64), as: Element.self).multipliedReportingOverflow(by: threads).partialValue
        let (bytes, overflow) = held.addingReportingOverflow(passes.partialValue)
        return overflow || passes.overflow ? .max : bytes
    }

    func statsBytes<Element: KernelScalar>(points: Int, as _: Element.Type) -> Int {
        let size = MemoryLayout<Element>.stride
        var bytes = program.values[0].positions * channels * size
        for value in needs.variances {
            let grid = PositionGrid(program.values[value].spatial)
            bytes += grid.positions * 8 + grid.rows * grid.stride * 4 * size
        }
        for instruction in program.instructions where instruction.operation.weighsPositions {
            let positions = program.values[instruction.inputs[0]].positions
            bytes += positions.multipliedReportingOverflow(by: positions * size).partialValue
        }
        for (index, instruction) in program.instructions.enumerated() where needs.forms[index + 1] == .gap {
            guard case .window(let geometry) = instruction.operation else { continue }
            let grid = PositionGrid(program.values[index + 1].spatial)
            bytes += (grid.rows * grid.stride * size).multipliedReportingOverflow(by: geometry.size).partialValue
        }
        for (value, count) in needs.features.enumerated() { bytes += 2 * (count ?? 0) * program.values[value].positions * size }
        let (total, overflow) = bytes.multipliedReportingOverflow(by: points)
        return overflow ? .max : total
    }
}
