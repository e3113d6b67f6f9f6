import LinearAlgebra

/// One tile of pairs: from unit vectors by a GEMM to gaps, through every layer, to the kernels.
///
/// All layers run over one row of the tile (a run of at most `TilePass.side` pairs) before the next row is begun, so that the two planes
/// of the recursion, gap and Θ, stay in the first-level cache. A pair's result depends on its two points only, bit for bit.
@safe
struct TilePass<Element: KernelScalar> {
    let plan: VectorPlan
    let kinds: Set<KernelKind>
    let x1: PointSet<Element>
    let x2: PointSet<Element>

    private var program: KernelProgram { plan.program }

    /// Points on a side of a tile: whole panels, and two float64 planes of it fit a 1 MB second-level cache.
    static var side: Int { 240 }

    /// Gap and Θ of a tile, row-major with `columns` padded elements in a row.
    struct Planes {
        let columns: Int
        let covariance: Storage<Element>
        let theta: Storage<Element>
    }

    /// Computes the tile with the given points; on a tile on the diagonal of a symmetric kernel only pairs with column ≥ row.
    func compute(rows: Range<Int>, columns: Range<Int>, upperOnly: Bool) -> Planes {
        let height = rows.count.roundedUp(to: blockRows)
        let width = columns.count.roundedUp(to: PointSet<Element>.rowPadding)
        let planes = Planes(
            columns: width, covariance: Storage(count: height * width), theta: Storage(count: kinds.contains(.ntk) ? height * width : 0))
        // c = û·v̂ for all pairs of the tile.
        let d = x1.features
        unsafe Element.innerProducts(
            planes.covariance.base, stride: width, x1.units.base + rows.lowerBound * d, count: height, x2.panels.base + columns.lowerBound * d,
            panelCount: width / Element.panel, d, upperOnly: upperOnly)
        let scratch = RowScratch<Element>(slots: plan.slots.slotCount - 1, width: width, needsDuals: needsDuals)
        for row in 0..<rows.count {
            let start = upperOnly ? row / run * run : 0
            let z = unsafe planes.covariance.base + row * width + start
            let theta = kinds.contains(.ntk) ? unsafe planes.theta.base + row * width + start : nil
            unsafe passRow(
                point: rows.lowerBound + row, others: columns.lowerBound + start, count: (columns.count - start).roundedUp(to: run), z, theta,
                scratch)
        }
        return planes
    }

    private var needsDuals: Bool {
        x1.stages.contains { if case .dual = $0 { true } else { false } }
    }

    private func passRow(
        point i: Int, others j: Int, count: Int, _ z: UnsafeMutablePointer<Element>, _ theta: UnsafeMutablePointer<Element>?,
        _ scratch: RowScratch<Element>
    ) {
        let d = x1.features
        unsafe Element.gapFromCosine(z, count)
        unsafe Element.refineGaps(z, count, x1.units.base + i * d, x2.units.base + j * d, d)
        if let theta = unsafe theta { unsafe theta.initialize(repeating: 0, count: count) }
        let slots = unsafe scratch.slots(first: z, theta)
        let pairs = PairRun(i: i, j: j, count: count)
        for step in plan.slots.steps {
            let output = unsafe slots[step.output]
            if step.inputs.count == 1 && step.inputs[0] != step.output { unsafe output.copy(slots[step.inputs[0]], count) }
            let instruction = step.instruction
            switch (program.instructions[instruction].operation, x1.stages[instruction], x2.stages[instruction]) {
            case (.affine(let affine), .affine(let std1, let shares1), .affine(let std2, let shares2)):
                if let theta = unsafe output.theta {
                    unsafe Element.affineTheta(
                        theta, output.z, count, Element(affine.weight), Element(affine.input), Element(affine.constant), std1.base[i],
                        std2.base + j)
                }
                if let shares1, let shares2 {
                    unsafe addConstant(shares1, shares2, pairs, output.z, isNear: plan.isNear[instruction + 1])
                } else if affine.weight == 0 {
                    // Nothing of the inputs is left: no covariance.
                    unsafe output.z.update(repeating: 1, count: count)
                }
            case (.activation(let step), let own, let other):
                let input = program.instructions[instruction].inputs[0]
                unsafe activation(step, isNear: plan.isNear[input], own, other, pairs, output, scratch)
            case (.product, .product(let own), .product(let other)):
                unsafe product(own, other, pairs, step.inputs.map { unsafe slots[$0] }, output)
            case (.layerNorm, .layerNorm(let own), .layerNorm(let other)):
                if let theta = unsafe output.theta {
                    for k in 0..<count { unsafe theta[k] *= own.base[i] * other.base[j + k] }
                }
            case (.dropout(let keep), _, _):
                // Independent zeros: what two points have in common shrinks, their own variances do not.
                unsafe output.scaleCosines(by: Element(keep), count)
            case (let operation, .combination(let own), .combination(let other)):
                let weights: [Double] = if case .concatenateChannels(let weights) = operation { weights } else { own.map { _ in 1 } }
                unsafe combine(own, other, weights, pairs, step.inputs.map { unsafe slots[$0] }, output)
            default:
                // Both point sets were made from this program.
                preconditionFailure("stage \(instruction) does not belong to its operation")
            }
        }
        if let last = plan.slots.slots[program.output], last != 0 { unsafe slots[0].copy(slots[last], count) }
        if kinds.contains(.nngp) { unsafe Element.covariance(z, z, count, x1.outputStd.base[i], x2.outputStd.base + j) }
    }

    func addConstant(
        _ own: PointSet<Element>.Shares, _ other: PointSet<Element>.Shares, _ pairs: PairRun, _ z: UnsafeMutablePointer<Element>,
        isNear: Bool = false
    ) {
        if isNear {
            unsafe Element.nearConstant(
                z, pairs.count, own.s.base[pairs.i], own.e.base[pairs.i], other.s.base + pairs.j, other.e.base + pairs.j)
            return
        }
        unsafe Element.addConstant(
            z, pairs.count, own.s.base[pairs.i], own.e.base[pairs.i], other.s.base + pairs.j, other.e.base + pairs.j)
    }
}

/// Point i of x1 with `count` points of x2 from j on.
struct PairRun {
    var i, j, count: Int
}
