public import KernelLoops
import LinearAlgebra

/// Points with what belongs to them and not to pairs, for kernels of many other sets with this one: see `AnalyticKernel.prepare`.
public struct PreparedPoints<Element: KernelScalar>: Sendable {
    let x: Matrix<Double>
    let patterns: Matrix<Double>?
    /// nil where points have positions: there the statistics of a point are larger than the point, and are made a tile at a time.
    let vectors: VectorPoints<Element>?
}

/// Points that are vectors, masked entries as zeros.
struct VectorPoints<Element: KernelScalar>: Sendable {
    let points: PointSet<Element>
    /// Points without a single number.
    let missing: [Int]

    init(_ masked: MaskedPoints, plan: VectorPlan, set: String, on executor: any TileExecutor) throws {
        points = try PointSet(masked.values, plan: plan, set: set, on: executor)
        missing = masked.missing
    }
}
