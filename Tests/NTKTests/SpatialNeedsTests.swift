import Activations
import KernelLoops
import Testing

@testable import Architecture
@testable import SpatialKernels

/// Which pairs of positions a network needs, and the slabs in which they are computed.
struct SpatialNeedsTests {
    private static func conv(_ window: [Int], _ padding: Padding = .same, strides: [Int]? = nil) -> Layer {
        .convolution(Convolution(variant: .shared, filterShape: window, strides: strides, padding: padding, affine: Affine()))
    }

    private static func compiled(_ layers: [Layer], _ spatial: [Int]) throws -> KernelProgram {
        try KernelCompiler.compile(.serial(layers), spatial: spatial, channels: 3, meter: CompilationMeter())
    }

    private static let relu = Layer.activation(.relu)
    private static let pool = Layer.pool(Pool(reduction: .average, windowShape: [2], strides: [2], padding: .valid, normalizesEdges: false))
    private static let dense = Layer.dense(Affine())

    @Test func flattenNeedsNoPositionWithAnother() throws {
        let program = try Self.compiled([Self.conv([3, 3]), Self.relu, Self.conv([3, 3]), Self.relu, .flatten, Self.dense], [4, 4])
        let needs = SpatialNeeds(program, .distance, channels: 3)
        #expect(needs.pairings.allSatisfy { $0 == .aligned } && needs.ownPairings.allSatisfy { $0 == .none })
        // Where nothing mixes positions, pairs stay in the form that they came in.
        #expect(needs.forms.allSatisfy { $0 == .distance } && needs.toldByGaps.isEmpty)
    }

    @Test func poolingNeedsAllOfWhatIsBeforeIt() throws {
        let program = try Self.compiled([Self.conv([3]), Self.relu, .globalPool(.average), Self.dense], [6])
        let pooled = try #require(program.instructions.firstIndex { if case .globalPool = $0.operation { true } else { false } })
        for form in [PairForm.distance, .gap] {
            let needs = SpatialNeeds(program, form, channels: 3)
            #expect(needs.pairings[...pooled].allSatisfy { $0 == .full })
            #expect(needs.pairings[(pooled + 1)...].allSatisfy { $0 == .aligned })
            #expect(needs.forms[pooled] == form && needs.forms[pooled + 1] == .covariance)
            // The cosines before the pool need their variances, and these need no pairs.
            #expect(needs.variances.isSuperset(of: 0...pooled) && needs.ownPairings.allSatisfy { $0 == .none })
        }
    }

    /// Behind a pool in the middle a variance is a sum over pairs of positions, so that a point meets itself.
    @Test func variancesBehindAPoolComeFromPairs() throws {
        let program = try Self.compiled([Self.conv([3]), Self.relu, Self.pool, Self.conv([3]), Self.relu, .flatten, Self.dense], [8])
        let needs = SpatialNeeds(program, .distance, channels: 3)
        let map = try #require(program.instructions.firstIndex { if case .map = $0.operation { true } else { false } })
        #expect(needs.pairings[map] == .full && needs.pairings[map + 1] == .aligned)
        #expect(needs.ownPairings[map] == .full && needs.ownPairings[map + 1] == .aligned)
        #expect(needs.variances.contains(map + 1))
    }

    @Test func thetaIsZeroUntilThereAreWeights() throws {
        let program = try Self.compiled([Self.conv([3]), Self.relu, .flatten, Self.dense], [8])
        let needs = SpatialNeeds(program, .distance, channels: 3)
        let affine = try #require(program.instructions.firstIndex { if case .affine = $0.operation { true } else { false } })
        #expect(needs.isThetaZero[affine] && needs.isThetaZero[(affine + 1)...].allSatisfy { !$0 })
    }

    @Test func nothingIsNegativeBehindARelu() throws {
        let layers = [Self.conv([3]), Self.relu, Self.conv([3]), .activation(.erf(a: 1, b: 1, c: 0)), .flatten, Self.dense]
        let program = try Self.compiled(layers, [5])
        let needs = SpatialNeeds(program, .distance, channels: 3)
        let activations = program.instructions.indices.filter { if case .activation = program.instructions[$0].operation { true } else { false } }
        let (relu, erf) = (activations[0], activations[1])
        #expect(needs.isNonnegative[...relu].allSatisfy { !$0 })
        #expect(needs.isNonnegative[relu + 1...erf].allSatisfy { $0 } && !needs.isNonnegative[erf + 1])
    }

    // MARK: Slabs

    private func plan(_ program: KernelProgram, _ form: PairForm = .distance) throws -> SpatialPlan {
        let needs = SpatialNeeds(program, form, channels: 3)
        return try SpatialPlan(
            program, needs, pairings: needs.pairings, kept: [program.output], tables: SpatialTables(meter: CompilationMeter()))
    }

    /// Every pair of rows is in one slab: there are 2 rows − 1 offsets, modulo the rows where windows wrap around.
    @Test(arguments: [(Padding.same, 7), (.circular, 4)]) func slabsHaveEveryPairOfRowsOnce(padding: Padding, count: Int) throws {
        let program = try Self.compiled(
            [Self.conv([3, 3], padding), Self.relu, Self.conv([3, 3], padding), Self.relu, .globalPool(.average), Self.dense], [4, 5])
        let plan = try plan(program)
        #expect(plan.slabs.count == count)
        let pooled = try #require(program.instructions.firstIndex { if case .globalPool = $0.operation { true } else { false } })
        for value in 0...pooled {
            let pairs = try plan.slabs.flatMap { try #require($0.lists[value]).pairs.map { [$0.first, $0.second] } }
            #expect(pairs.count == 16 && Set(pairs).count == 16)
        }
        // The pool asks for a sum alone, so that no value leaves the slabs as a whole.
        #expect(plan.boundary.map(\.value) == [pooled] && plan.boundary.allSatisfy(\.isSummed))
        #expect(plan.slabSlots.steps.allSatisfy { $0.instruction < pooled } && plan.restSlots.steps.map(\.instruction).first == pooled)
    }

    @Test func strideEndsTheSlabs() throws {
        let program = try Self.compiled(
            [Self.conv([3, 3]), Self.relu, Self.conv([3, 3], strides: [2, 2]), Self.relu, .globalPool(.average), Self.dense], [4, 4])
        let plan = try plan(program)
        let strided = try #require(program.instructions.lastIndex { if case .window = $0.operation { true } else { false } })
        #expect(plan.boundary.map(\.value) == [strided] && !plan.boundary[0].isSummed)
        #expect(plan.restSlots.initial == [strided: 0] && plan.restSlots.steps.first?.instruction == strided)
    }

    @Test func alignedPairsNeedNoSlabs() throws {
        let plan = try plan(Self.compiled([Self.conv([3, 3]), Self.relu, .flatten, Self.dense], [4, 4]))
        #expect(plan.slabs.isEmpty && plan.slabSlots.steps.isEmpty && plan.restSlots.steps.count == plan.program.instructions.count)
        #expect(plan.slabElements == 0 && plan.restElements > 0)
    }

    /// A window, an affine map and a relu in a row are one loop, unless the angles are watched there.
    @Test func aConvolutionAndItsReluAreOneChain() throws {
        let program = try Self.compiled([Self.conv([3]), Self.relu, Self.conv([3]), Self.relu, .flatten, Self.dense], [6])
        let plan = try plan(program)
        let windows = plan.restSlots.steps.indices.filter {
            if case .window = program.instructions[plan.restSlots.steps[$0].instruction].operation { true } else { false }
        }
        #expect(windows.count == 2 && Set(plan.restChains.keys) == Set(windows))
        #expect(plan.restChains[windows[0]]?.isNear == false && plan.restChains[windows[1]]?.isNear == true)
        let other = try Self.compiled([Self.conv([3]), .activation(.erf(a: 1, b: 1, c: 0)), .flatten, Self.dense], [6])
        #expect(try self.plan(other).restChains.isEmpty)
    }
}
