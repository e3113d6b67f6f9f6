import LinearAlgebra

/// One tile of pairs: from unit vectors by a GEMM to gaps, through every layer, to the kernels.
///
/// All layers run over one row of the tile (a run of at most `TilePass.side` pairs) before the next row is begun, so that the two planes
/// of the recursion, gap and Θ, stay in the first-level cache. A pair's result depends on its two points only, bit for bit.
@safe
struct TilePass<Element: KernelScalar> {
    let program: KernelProgram
    let kinds: Set<KernelKind>
    let x1: PointSet<Element>
    let x2: PointSet<Element>

    /// Points on a side of a tile: two float64 planes of it fit a 1 MB second-level cache, and the GEMM is near its full speed.
    static var side: Int { 256 }

    /// The GEMM gives an entry the same bits wherever it stands in blocks of these sides; smaller ones take OpenBLAS's other way.
    private static func blockSide(_ count: Int) -> Int { max(PointSet<Element>.rowPadding, count.roundedUp(to: run)) }

    /// Gap and Θ of a tile, row-major with `columns` padded elements in a row.
    struct Planes {
        let columns: Int
        let covariance: Storage<Element>
        let theta: Storage<Element>
    }

    /// Computes the tile with the given points; on a tile on the diagonal of a symmetric kernel only pairs with column ≥ row.
    func compute(rows: Range<Int>, columns: Range<Int>, upperOnly: Bool) -> Planes {
        let height = Self.blockSide(rows.count)
        let width = Self.blockSide(columns.count)
        let planes = Planes(
            columns: width, covariance: Storage(count: height * width), theta: Storage(count: kinds.contains(.ntk) ? height * width : 0))
        cosines(rows: rows, columns: columns, upperOnly: upperOnly, height: height, planes)
        for row in 0..<rows.count {
            let start = upperOnly ? row / run * run : 0
            let z = unsafe planes.covariance.base + row * width + start
            let theta = kinds.contains(.ntk) ? unsafe planes.theta.base + row * width + start : nil
            unsafe passRow(
                point: rows.lowerBound + row, others: columns.lowerBound + start, count: (columns.count - start).roundedUp(to: run), z, theta)
        }
        return planes
    }

    /// c = û·v̂ for all pairs of the tile; on the diagonal in strips that leave out what lies below it.
    private func cosines(rows: Range<Int>, columns: Range<Int>, upperOnly: Bool, height: Int, _ planes: Planes) {
        let d = x1.features
        // Every strip keeps a shape in which a pair's bits do not depend on its place.
        let half = Self.side / 2
        let strip = upperOnly && height >= half + PointSet<Element>.rowPadding ? half : height
        for top in stride(from: 0, to: height, by: strip) {
            let left = upperOnly ? top : 0
            unsafe Element.gemmTransposed(
                min(strip, height - top), planes.columns - left, d, alpha: 1, x1.units.base + (rows.lowerBound + top) * d, d,
                x2.units.base + (columns.lowerBound + left) * d, d, beta: 0, planes.covariance.base + top * planes.columns + left,
                planes.columns)
        }
    }

    private func passRow(point i: Int, others j: Int, count: Int, _ z: UnsafeMutablePointer<Element>, _ theta: UnsafeMutablePointer<Element>?) {
        let d = x1.features
        unsafe Element.gapFromCosine(z, count)
        unsafe Element.refineGaps(z, count, x1.units.base + i * d, x2.units.base + j * d, d)
        if let theta = unsafe theta { unsafe theta.initialize(repeating: 0, count: count) }
        for (index, step) in program.steps.enumerated() {
            switch (step, x1.stages[index], x2.stages[index]) {
            case (.affine(let weight, _, let input, let constant), .affine(let std1, let shares1), .affine(let std2, let shares2)):
                if let theta = unsafe theta {
                    unsafe Element.affineTheta(
                        theta, z, count, Element(weight), Element(input), Element(constant), std1.base[i], std2.base + j)
                }
                if let shares1, let shares2 {
                    unsafe addConstant(shares1, shares2, i, j, count, z)
                } else if weight == 0 {
                    // Nothing of the inputs is left: no covariance.
                    unsafe z.update(repeating: 1, count: count)
                }
            case (.abRelu(let a, let b), _, _):
                let squares = a * a + b * b
                unsafe Element.abRelu(z, theta, count, Element(squares > 0 ? (a - b).squared / squares : 0), Element(squares / 2))
            case (.erf(let a, let b, _), .erf(let own, let offset1), .erf(let other, let offset2)):
                unsafe erf(own, other, slope: Element(a * a * b * b * (4 / .pi)), i, j, count, z, theta)
                if let offset1, let offset2 { unsafe addConstant(offset1, offset2, i, j, count, z) }
            default:
                // Both point sets were made from this program.
                preconditionFailure("stage \(index) does not belong to step \(step)")
            }
        }
        if kinds.contains(.nngp) { unsafe Element.covariance(z, z, count, x1.outputStd.base[i], x2.outputStd.base + j) }
    }

    private func addConstant(
        _ own: PointSet<Element>.Shares, _ other: PointSet<Element>.Shares, _ i: Int, _ j: Int, _ count: Int,
        _ z: UnsafeMutablePointer<Element>
    ) {
        unsafe Element.addConstant(z, count, own.s.base[i], own.e.base[i], other.s.base + j, other.e.base + j)
    }

    private func erf(
        _ own: PointSet<Element>.ErfConstants, _ other: PointSet<Element>.ErfConstants, slope: Element, _ i: Int, _ j: Int, _ count: Int,
        _ z: UnsafeMutablePointer<Element>, _ theta: UnsafeMutablePointer<Element>?
    ) {
        let point = unsafe [own.p.base[i], own.r.base[i], own.psi.base[i], own.cosine.base[i], own.scale.base[i]]
        let others = unsafe ErfPointers(
            p: other.p.base + j, r: other.r.base + j, psi: other.psi.base + j, cosine: other.cosine.base + j, scale: other.scale.base + j)
        unsafe Element.erf(z, theta, count, slope, point, others)
    }
}
