import Architecture
import KernelLoops
import LinearAlgebra

/// One tile of pairs: from unit vectors by their cosines to gaps, through every layer, to the kernels.
///
/// All layers run over one row of the tile (a run of at most `TilePass.side` pairs) before the next row is begun, so that the two planes
/// of the recursion, gap and Θ, stay in the first-level cache. A pair's result depends on its two points only, bit for bit.
@safe
struct TilePass<Element: KernelScalar> {
    let plan: VectorPlan
    /// Which kernels are wanted.
    let hasNNGP, hasNTK: Bool
    let x1: PointSet<Element>
    let x2: PointSet<Element>

    init(plan: VectorPlan, kinds: Set<KernelKind>, x1: PointSet<Element>, x2: PointSet<Element>) {
        self.plan = plan
        (hasNNGP, hasNTK) = (kinds.contains(.nngp), kinds.contains(.ntk))
        self.x1 = x1
        self.x2 = x2
    }

    private var program: KernelProgram { plan.program }
    private var isSharp: Bool { x1.isSharp || x2.isSharp }

    /// Points on a side of a tile: whole panels, and two float64 planes of it fit a 1 MB second-level cache.
    static var side: Int { 240 / PointSet<Element>.rowPadding * PointSet<Element>.rowPadding }

    /// Gap and Θ of a tile, row-major with `columns` padded elements in a row.
    struct Planes {
        let columns: Int
        let covariance: Storage<Element>
        let theta: Storage<Element>
    }

    /// Computes the tile with the given points; on a tile on the diagonal of a symmetric kernel only pairs with column ≥ row.
    func compute(rows: Range<Int>, columns: Range<Int>, upperOnly: Bool) throws -> Planes {
        let height = rows.count.roundedUp(to: blockRows)
        let width = columns.count.roundedUp(to: PointSet<Element>.rowPadding)
        let planes = Planes(
            columns: width, covariance: Storage(count: height * width), theta: Storage(count: hasNTK ? height * width : 0))
        // c = û·v̂ for all pairs of the tile.
        unsafe Element.cosines(
            planes.covariance.base, stride: width, x1.rows(from: rows.lowerBound), count: height, x2.panels(from: columns.lowerBound),
            panelCount: width / Element.cosinePanel, x1.features, upperOnly: upperOnly)
        let scratch = RowScratch<Element>(slots: plan.slots.slotCount - 1, width: width, needsDuals: needsDuals)
        let steps = unsafe rowSteps()
        // A kept value has its slot to the end.
        let last = plan.slots.slots[program.output] ?? 0
        for row in 0..<rows.count {
            let start = upperOnly ? row / run * run : 0
            let z = unsafe planes.covariance.base + row * width + start
            let theta = hasNTK ? unsafe planes.theta.base + row * width + start : nil
            try unsafe passRow(
                steps, point: rows.lowerBound + row, others: columns.lowerBound + start, count: (columns.count - start).roundedUp(to: run), z,
                theta, scratch, last: last)
        }
        withExtendedLifetime((x1, x2)) {}
        return planes
    }

    private var needsDuals: Bool {
        x1.stages.contains { if case .dual = $0 { true } else { false } }
    }

    private func passRow(
        _ steps: [RowStep<Element>], point i: Int, others j: Int, count: Int, _ z: UnsafeMutablePointer<Element>,
        _ theta: UnsafeMutablePointer<Element>?, _ scratch: RowScratch<Element>, last: Int
    ) throws {
        let d = x1.features
        unsafe Element.gapFromCosine(z, count)
        let own = min(count, x2.count - j)
        let hasCoincident = unsafe Element.refineGaps(
            z, own, x1.x.base + i * d, norm: x1.norms.base[i], x2.x.base + j * d, norms: x2.norms.base + j, d)
        let coincident = hasCoincident && !plan.isRandom ? (0..<own).filter { unsafe isCoincident(z[$0], i, j + $0) } : []
        let first = isSharp ? (0..<own).map { unsafe Double(z[$0]) } : []
        if isSharp { unsafe scratch.smallest.initialize(repeating: 1, count: count) }
        if let theta = unsafe theta { unsafe theta.initialize(repeating: 0, count: count) }
        let pairs = PairRun(i: i, j: j, count: count)
        for index in unsafe steps.indices {
            let output = unsafe scratch.slot(steps[index].output, first: z, theta)
            if let copied = unsafe steps[index].copied { unsafe output.copy(scratch.slot(copied, first: z, theta), count) }
            switch unsafe steps[index].kind {
            case .affine(let affine): unsafe affine.apply(pairs, output)
            case .abRelu(_, let power, isNear: true): unsafe Element.nearRelu(output.z, output.theta, count, power)
            case .abRelu(let asymmetry, let power, isNear: false): unsafe Element.abRelu(output.z, output.theta, count, asymmetry, power)
            case .affineRelu(let affine, let power, let isNear):
                guard let theta = unsafe output.theta else { throw KernelFault("the tangents of an affine map and a relu") }
                unsafe Element.affineRelu(
                    output.z, theta, count, affine.weight, affine.input, affine.constant, affine.own[i], affine.others + j, power, isNear: isNear)
            case .other(let instruction, let place):
                let inputs = unsafe plan.slots.steps[place].inputs.map { unsafe scratch.slot($0, first: z, theta) }
                try unsafe pass(instruction, pairs, inputs, output, scratch)
            }
            if isSharp {
                for k in 0..<own { unsafe scratch.smallest[k] = min(scratch.smallest[k], abs(output.z[k])) }
            }
        }
        if last != 0 { unsafe RowSlot(z: z, theta: theta).copy(scratch.slot(last, first: z, theta), count) }
        for k in first.indices where unsafe scratch.smallest[k] < Self.sharpGap && isSharp(i, j + k) {
            if CurrentWork.isCancelled { return }
            let state = PairRecursion(program: program, x1: x1, x2: x2, i: i, j: j + k).run(gap: first[k])
            unsafe z[k] = Element(state.gap)
            if let theta = unsafe theta { unsafe theta[k] = Element(state.theta) }
        }
        if hasNNGP { unsafe Element.covariance(z, z, count, x1.outputStd.base[i], x2.outputStd.base + j) }
        for k in coincident {
            unsafe z[k] = Element(x1.nngpDiagonal[i])
            if let theta = unsafe theta { unsafe theta[k] = Element(x1.ntkDiagonal[i]) }
        }
    }

    /// Whether this pair's angles may grow behind an activation: nothing that other points could change.
    private func isSharp(_ i: Int, _ j: Int) -> Bool {
        plan.isSharp || (!x1.isAmplifying.isEmpty && x1.isAmplifying[i]) || (!x2.isAmplifying.isEmpty && x2.isAmplifying[j])
    }

    /// In a network whose layers amplify small angles, pairs that have come nearer than this are taken one by one.
    private static var sharpGap: Element { 0.02 }

    /// Whether two points are one, bit for bit.
    private func isCoincident(_ gap: Element, _ i: Int, _ j: Int) -> Bool {
        let norm = unsafe x1.norms.base[i]
        return unsafe x2.norms.base[j] == norm && (norm == 0 || (gap == 0 && gap.sign == .plus))
    }

    /// A step that is none of the frequent ones.
    private func pass(
        _ instruction: Int, _ pairs: PairRun, _ inputs: [RowSlot<Element>], _ output: RowSlot<Element>, _ scratch: RowScratch<Element>
    ) throws {
        switch (program.instructions[instruction].operation, x1.stages[instruction], x2.stages[instruction]) {
        case (.activation(let step), let own, let other): try unsafe activation(step, own, other, pairs, output, scratch)
        case (.product, .product(let own), .product(let other)): unsafe product(own, other, pairs, inputs, output)
        case (.layerNorm, .layerNorm(let own), .layerNorm(let other)):
            if let theta = unsafe output.theta {
                for k in 0..<pairs.count { unsafe theta[k] *= own.base[pairs.i] * other.base[pairs.j + k] }
            }
        case (.dropout(let keep), _, _):
            // Independent zeros: what two points have in common shrinks, their own variances do not.
            unsafe output.scaleCosines(by: Element(keep), pairs.count)
        case (let operation, .combination(let own), .combination(let other)):
            let weights: [Double] = if case .concatenateChannels(let weights) = operation { weights } else { own.map { _ in 1 } }
            unsafe combine(own, other, weights, pairs, inputs, output)
        default:
            // Both point sets were made from this program.
            throw KernelFault("the stage of instruction \(instruction)")
        }
    }

    func addConstant(
        _ own: PointSet<Element>.Shares, _ other: PointSet<Element>.Shares, _ pairs: PairRun, _ z: UnsafeMutablePointer<Element>
    ) {
        unsafe Element.addConstant(
            z, pairs.count, own.s.base[pairs.i], own.e.base[pairs.i], other.s.base + pairs.j, other.e.base + pairs.j)
    }
}

/// Point i of x1 with `count` points of x2 from j on.
struct PairRun {
    var i, j, count: Int
}
