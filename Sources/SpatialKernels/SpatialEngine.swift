import Activations
import Architecture
import KernelLoops
import LinearAlgebra

/// A program prepared for pairs that are held in one form.
struct SpatialEngine: Sendable {
    let program: KernelProgram
    let channels: Int
    let needs: SpatialNeeds
    let pairPlan: SpatialPlan
    let ownPlan: SpatialPlan
    let windows: [Int: WindowTable]
    /// Linear maps of positions that stand first in the architecture: they are applied to the points.
    let inputMaps: [SpatialMap]

    /// - Throws: where the tables of the plan take more than their meter allows.
    init(
        _ program: KernelProgram, channels: Int, _ form: PairForm, _ inputMaps: [SpatialMap], _ tables: SpatialTables
    ) throws(ArchitectureError) {
        self.program = program
        self.channels = channels
        self.inputMaps = inputMaps
        let needs = SpatialNeeds(program, form, channels: channels)
        self.needs = needs
        pairPlan = try SpatialPlan(program, needs, pairings: needs.pairings, kept: [program.output], tables: tables)
        let weighed = program.instructions.filter(\.operation.weighsPositions).map { $0.inputs[0] }
        ownPlan = try SpatialPlan(
            program, needs, pairings: needs.ownPairings, kept: Set(weighed.filter { needs.ownPairings[$0] == .full }), tables: tables)
        windows = try PointStatsBuilder<Double>.windows(program, tables)
    }

    func builder<Element: KernelScalar>(_: Element.Type) -> PointStatsBuilder<Element> {
        PointStatsBuilder(program, needs, ownPlan: ownPlan, windows: windows, channels: channels, inputMaps: inputMaps)
    }

    func pass<Element: KernelScalar>(_: Element.Type, hasTheta: Bool) -> SpatialPass<Element> {
        SpatialPass(pairPlan, channels: channels, hasTheta: hasTheta, empty: PointStats(input: Storage(count: 0)))
    }
}
