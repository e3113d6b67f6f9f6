internal import CDualActivations
public import LinearAlgebra

/// A precision in which kernels are computed, with the element loops of `CDualActivations` for it (dual_activations.h says what each does).
public protocol KernelScalar: Scalar {
    static var precisionName: String { get }
    /// Below this gap the GEMM's rounding error eps would show in the angle as eps / angle, and the gap is computed from the difference.
    static var directGap: Self { get }

    @unsafe static func normalize(_ x: UnsafePointer<Double>, _ unit: UnsafeMutablePointer<Self>, _ dimension: Int) -> Double
    @unsafe static func gapFromCosine(_ z: UnsafeMutablePointer<Self>, _ count: Int)
    @unsafe static func refineGaps(
        _ z: UnsafeMutablePointer<Self>, _ count: Int, _ unit: UnsafePointer<Self>, _ others: UnsafePointer<Self>, _ dimension: Int)
    @unsafe static func abRelu(_ z: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ count: Int, _ asymmetry: Self, _ power: Self)
    @unsafe static func addConstant(
        _ z: UnsafeMutablePointer<Self>, _ count: Int, _ s: Self, _ e: Self, _ sOthers: UnsafePointer<Self>, _ eOthers: UnsafePointer<Self>)
    @unsafe static func affineTheta(
        _ theta: UnsafeMutablePointer<Self>, _ z: UnsafePointer<Self>, _ count: Int, _ weight: Self, _ input: Self, _ constant: Self, _ a: Self,
        _ aOthers: UnsafePointer<Self>)
    @unsafe static func erf(
        _ z: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ count: Int, _ slope: Self, _ point: UnsafePointer<Self>,
        _ others: ErfPointers<Self>)
    @unsafe static func covariance(
        _ out: UnsafeMutablePointer<Self>, _ z: UnsafePointer<Self>, _ count: Int, _ a: Self, _ aOthers: UnsafePointer<Self>)

    @unsafe static func sumBlocks(
        _ out: UnsafeMutablePointer<Self>, _ outStride: Int, _ blocks: UnsafePointer<UnsafePointer<Self>?>, _ count: Int, rows: Int,
        columns: Int, stride: Int)
    @unsafe static func windowDiagonal(
        _ out: UnsafeMutablePointer<Self>, _ outStride: Int, _ input: UnsafePointer<Self>, _ inputStride: Int, rows: Int, taps: Int, scale: Self)
    @unsafe static func affineBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, thetaIsZero: Bool, _ shape: BlockShape, weight: Self,
        input: Self, constant: Self, _ q1: UnsafePointer<Self>, _ q2: UnsafePointer<Self>)
    @unsafe static func abReluBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ shape: BlockShape, asymmetry: Self, power: Self,
        _ a1: UnsafePointer<Self>, _ i1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>, _ i2: UnsafePointer<Self>)
    @unsafe static func blockSum(_ block: UnsafePointer<Self>, rows: Int, columns: Int, stride: Int) -> Double
    @unsafe static func inputDistances(
        _ out: UnsafeMutablePointer<Self>, _ shape: BlockShape, _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, channels: Int)
}

/// Rows of a block and the elements from one to the next. `isAligned`: one row, whose element c is the pair of positions (c, c); otherwise
/// element c of row r is the pair (r, c).
public struct BlockShape: Sendable, Equatable {
    var rows: Int
    var stride: Int
    var isAligned: Bool
}

/// The constants of the points of one side for the erf layer, see `PointSet.ErfConstants`.
@unsafe public struct ErfPointers<Element: KernelScalar> {
    let p, r, psi, cosine, scale: UnsafePointer<Element>
}

/// Loops work on whole runs of this many pairs.
let run = Int(NTK_RUN)

extension Double: KernelScalar {
    public static var precisionName: String { "float64" }
    public static var directGap: Double { 4.5e-4 }

    @unsafe public static func normalize(_ x: UnsafePointer<Double>, _ unit: UnsafeMutablePointer<Double>, _ dimension: Int) -> Double {
        unsafe ntk_normalize_f64(x, unit, dimension)
    }

    @unsafe public static func gapFromCosine(_ z: UnsafeMutablePointer<Double>, _ count: Int) {
        unsafe ntk_gap_from_cosine_f64(z, count)
    }

    @unsafe public static func refineGaps(
        _ z: UnsafeMutablePointer<Double>, _ count: Int, _ unit: UnsafePointer<Double>, _ others: UnsafePointer<Double>, _ dimension: Int
    ) {
        unsafe ntk_refine_gaps_f64(z, count, unit, others, dimension, directGap)
    }

    @unsafe public static func abRelu(
        _ z: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>?, _ count: Int, _ asymmetry: Double, _ power: Double
    ) {
        unsafe ntk_ab_relu_f64(z, theta, count, asymmetry, power)
    }

    @unsafe public static func addConstant(
        _ z: UnsafeMutablePointer<Double>, _ count: Int, _ s: Double, _ e: Double, _ sOthers: UnsafePointer<Double>, _ eOthers: UnsafePointer<Double>
    ) {
        unsafe ntk_add_constant_f64(z, count, s, e, sOthers, eOthers)
    }

    @unsafe public static func affineTheta(
        _ theta: UnsafeMutablePointer<Double>, _ z: UnsafePointer<Double>, _ count: Int, _ weight: Double, _ input: Double, _ constant: Double,
        _ a: Double, _ aOthers: UnsafePointer<Double>
    ) {
        unsafe ntk_affine_theta_f64(theta, z, count, weight, input, constant, a, aOthers)
    }

    @unsafe public static func erf(
        _ z: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>?, _ count: Int, _ slope: Double, _ point: UnsafePointer<Double>,
        _ others: ErfPointers<Double>
    ) {
        unsafe ntk_erf_f64(z, theta, count, slope, point, others.p, others.r, others.psi, others.cosine, others.scale)
    }

    @unsafe public static func covariance(
        _ out: UnsafeMutablePointer<Double>, _ z: UnsafePointer<Double>, _ count: Int, _ a: Double, _ aOthers: UnsafePointer<Double>
    ) {
        unsafe ntk_covariance_f64(out, z, count, a, aOthers)
    }

    @unsafe public static func sumBlocks(
        _ out: UnsafeMutablePointer<Double>, _ outStride: Int, _ blocks: UnsafePointer<UnsafePointer<Double>?>, _ count: Int, rows: Int, columns: Int,
        stride: Int
    ) {
        unsafe ntk_sum_blocks_f64(out, outStride, blocks, count, rows, columns, stride)
    }

    @unsafe public static func windowDiagonal(
        _ out: UnsafeMutablePointer<Double>, _ outStride: Int, _ input: UnsafePointer<Double>, _ inputStride: Int, rows: Int, taps: Int, scale: Double
    ) {
        unsafe ntk_window_diagonal_f64(out, outStride, input, inputStride, rows, taps, scale)
    }

    @unsafe public static func affineBlock(
        _ distance: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>?, thetaIsZero: Bool, _ shape: BlockShape, weight: Double,
        input: Double, constant: Double, _ q1: UnsafePointer<Double>, _ q2: UnsafePointer<Double>
    ) {
        unsafe ntk_affine_block_f64(
            distance, theta, thetaIsZero ? 1 : 0, shape.rows, shape.stride, shape.isAligned ? 1 : 0, weight, input, constant, q1, q2)
    }

    @unsafe public static func abReluBlock(
        _ distance: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>?, _ shape: BlockShape, asymmetry: Double, power: Double,
        _ a1: UnsafePointer<Double>, _ i1: UnsafePointer<Double>, _ a2: UnsafePointer<Double>, _ i2: UnsafePointer<Double>
    ) {
        unsafe ntk_ab_relu_block_f64(
            distance, theta, shape.rows, shape.stride, shape.isAligned ? 1 : 0, asymmetry, power, a1, i1, a2, i2)
    }

    @unsafe public static func blockSum(_ block: UnsafePointer<Double>, rows: Int, columns: Int, stride: Int) -> Double {
        unsafe ntk_block_sum_f64(block, rows, columns, stride)
    }

    @unsafe public static func inputDistances(
        _ out: UnsafeMutablePointer<Double>, _ shape: BlockShape, _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, channels: Int
    ) {
        unsafe ntk_input_distances_f64(out, shape.stride, x, shape.rows, y, channels, shape.isAligned ? 1 : 0)
    }
}

extension Float: KernelScalar {
    public static var precisionName: String { "float32" }
    public static var directGap: Float { 0.05 }

    @unsafe public static func normalize(_ x: UnsafePointer<Double>, _ unit: UnsafeMutablePointer<Float>, _ dimension: Int) -> Double {
        unsafe ntk_normalize_f32(x, unit, dimension)
    }

    @unsafe public static func gapFromCosine(_ z: UnsafeMutablePointer<Float>, _ count: Int) {
        unsafe ntk_gap_from_cosine_f32(z, count)
    }

    @unsafe public static func refineGaps(
        _ z: UnsafeMutablePointer<Float>, _ count: Int, _ unit: UnsafePointer<Float>, _ others: UnsafePointer<Float>, _ dimension: Int
    ) {
        unsafe ntk_refine_gaps_f32(z, count, unit, others, dimension, directGap)
    }

    @unsafe public static func abRelu(
        _ z: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>?, _ count: Int, _ asymmetry: Float, _ power: Float
    ) {
        unsafe ntk_ab_relu_f32(z, theta, count, asymmetry, power)
    }

    @unsafe public static func addConstant(
        _ z: UnsafeMutablePointer<Float>, _ count: Int, _ s: Float, _ e: Float, _ sOthers: UnsafePointer<Float>, _ eOthers: UnsafePointer<Float>
    ) {
        unsafe ntk_add_constant_f32(z, count, s, e, sOthers, eOthers)
    }

    @unsafe public static func affineTheta(
        _ theta: UnsafeMutablePointer<Float>, _ z: UnsafePointer<Float>, _ count: Int, _ weight: Float, _ input: Float, _ constant: Float,
        _ a: Float, _ aOthers: UnsafePointer<Float>
    ) {
        unsafe ntk_affine_theta_f32(theta, z, count, weight, input, constant, a, aOthers)
    }

    @unsafe public static func erf(
        _ z: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>?, _ count: Int, _ slope: Float, _ point: UnsafePointer<Float>,
        _ others: ErfPointers<Float>
    ) {
        unsafe ntk_erf_f32(z, theta, count, slope, point, others.p, others.r, others.psi, others.cosine, others.scale)
    }

    @unsafe public static func covariance(
        _ out: UnsafeMutablePointer<Float>, _ z: UnsafePointer<Float>, _ count: Int, _ a: Float, _ aOthers: UnsafePointer<Float>
    ) {
        unsafe ntk_covariance_f32(out, z, count, a, aOthers)
    }

    @unsafe public static func sumBlocks(
        _ out: UnsafeMutablePointer<Float>, _ outStride: Int, _ blocks: UnsafePointer<UnsafePointer<Float>?>, _ count: Int, rows: Int, columns: Int,
        stride: Int
    ) {
        unsafe ntk_sum_blocks_f32(out, outStride, blocks, count, rows, columns, stride)
    }

    @unsafe public static func windowDiagonal(
        _ out: UnsafeMutablePointer<Float>, _ outStride: Int, _ input: UnsafePointer<Float>, _ inputStride: Int, rows: Int, taps: Int, scale: Float
    ) {
        unsafe ntk_window_diagonal_f32(out, outStride, input, inputStride, rows, taps, scale)
    }

    @unsafe public static func affineBlock(
        _ distance: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>?, thetaIsZero: Bool, _ shape: BlockShape, weight: Float,
        input: Float, constant: Float, _ q1: UnsafePointer<Float>, _ q2: UnsafePointer<Float>
    ) {
        unsafe ntk_affine_block_f32(
            distance, theta, thetaIsZero ? 1 : 0, shape.rows, shape.stride, shape.isAligned ? 1 : 0, weight, input, constant, q1, q2)
    }

    @unsafe public static func abReluBlock(
        _ distance: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>?, _ shape: BlockShape, asymmetry: Float, power: Float,
        _ a1: UnsafePointer<Float>, _ i1: UnsafePointer<Float>, _ a2: UnsafePointer<Float>, _ i2: UnsafePointer<Float>
    ) {
        unsafe ntk_ab_relu_block_f32(
            distance, theta, shape.rows, shape.stride, shape.isAligned ? 1 : 0, asymmetry, power, a1, i1, a2, i2)
    }

    @unsafe public static func blockSum(_ block: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int) -> Double {
        unsafe ntk_block_sum_f32(block, rows, columns, stride)
    }

    @unsafe public static func inputDistances(
        _ out: UnsafeMutablePointer<Float>, _ shape: BlockShape, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, channels: Int
    ) {
        unsafe ntk_input_distances_f32(out, shape.stride, x, shape.rows, y, channels, shape.isAligned ? 1 : 0)
    }
}
