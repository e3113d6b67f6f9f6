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

    @unsafe static func variancePlanes(
        _ values: UnsafePointer<Double>, rows: Int, width: Int, stride: Int, _ variances: UnsafeMutablePointer<Self>,
        _ roots: UnsafeMutablePointer<Self>, _ inverses: UnsafeMutablePointer<Self>)
    @unsafe static func extendBlock(_ extended: UnsafeMutablePointer<Self>, _ window: BlockWindow<Self>)
    @unsafe static func slideBlock(
        _ out: UnsafeMutablePointer<Self>, rows: Int, stride: Int, _ extended: UnsafePointer<Self>, extendedStride: Int, taps: Int, scale: Self)
    @unsafe static func windowPlane(
        _ out: UnsafeMutablePointer<Self>, rows: Int, stride: Int, _ input: UnsafePointer<Self>, _ extended: UnsafeMutablePointer<Self>,
        _ window: BlockWindow<Self>, table: UnsafePointer<Int32>, taps: Int, scale: Self)
    @unsafe static func affineReluBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>, _ shape: BlockShape, thetaIsZero: Bool,
        _ parameters: AffineRelu<Self>, _ q1: UnsafePointer<Self>, _ q2: UnsafePointer<Self>, _ a1: UnsafePointer<Self>,
        _ i1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>, _ i2: UnsafePointer<Self>)
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

/// The window of one block along the leading axes, and its margins along the last: see `ntk_window` in dual_activations.h.
@unsafe public struct BlockWindow<Element: KernelScalar> {
    var blocks: UnsafePointer<UnsafePointer<Element>?>?
    var count: Int
    var firstAlone, secondAlone, first, second: UnsafePointer<Element>?
    var width, stride, low, high, extendedStride: Int
    var wraps: Bool
}

/// An affine map, and after it phi(u) = a min(u, 0) + b max(u, 0) as `ab_relu` takes it.
public struct AffineRelu<Element: KernelScalar>: Sendable {
    var weight, input, constant, asymmetry, power: Element
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

    @unsafe public static func variancePlanes(
        _ values: UnsafePointer<Double>, rows: Int, width: Int, stride: Int, _ variances: UnsafeMutablePointer<Double>,
        _ roots: UnsafeMutablePointer<Double>, _ inverses: UnsafeMutablePointer<Double>
    ) {
        unsafe ntk_variance_planes_f64(values, rows, width, stride, variances, roots, inverses)
    }

    @unsafe public static func extendBlock(_ extended: UnsafeMutablePointer<Double>, _ window: BlockWindow<Double>) {
        var window = unsafe ntk_window_f64(window)
        unsafe ntk_extend_block_f64(extended, &window)
    }

    @unsafe public static func slideBlock(
        _ out: UnsafeMutablePointer<Double>, rows: Int, stride: Int, _ extended: UnsafePointer<Double>, extendedStride: Int, taps: Int, scale: Double
    ) {
        unsafe ntk_slide_block_f64(out, rows, stride, extended, extendedStride, taps, scale)
    }

    @unsafe public static func windowPlane(
        _ out: UnsafeMutablePointer<Double>, rows: Int, stride: Int, _ input: UnsafePointer<Double>, _ extended: UnsafeMutablePointer<Double>,
        _ window: BlockWindow<Double>, table: UnsafePointer<Int32>, taps: Int, scale: Double
    ) {
        var window = unsafe ntk_window_f64(window)
        unsafe ntk_window_plane_f64(out, rows, stride, input, extended, &window, table, taps, scale)
    }

    @unsafe public static func affineReluBlock(
        _ distance: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>, _ shape: BlockShape, thetaIsZero: Bool,
        _ parameters: AffineRelu<Double>, _ q1: UnsafePointer<Double>, _ q2: UnsafePointer<Double>, _ a1: UnsafePointer<Double>,
        _ i1: UnsafePointer<Double>,
        _ a2: UnsafePointer<Double>, _ i2: UnsafePointer<Double>
    ) {
        var parameters = ntk_affine_relu_f64(
            weight: parameters.weight, input: parameters.input, constant: parameters.constant, asymmetry: parameters.asymmetry,
            power: parameters.power)
        unsafe ntk_affine_relu_block_f64(
            distance, theta, shape.rows, shape.stride, shape.isAligned ? 1 : 0, thetaIsZero ? 1 : 0, &parameters, q1, q2, a1, i1, a2, i2)
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

    @unsafe public static func variancePlanes(
        _ values: UnsafePointer<Double>, rows: Int, width: Int, stride: Int, _ variances: UnsafeMutablePointer<Float>,
        _ roots: UnsafeMutablePointer<Float>, _ inverses: UnsafeMutablePointer<Float>
    ) {
        unsafe ntk_variance_planes_f32(values, rows, width, stride, variances, roots, inverses)
    }

    @unsafe public static func extendBlock(_ extended: UnsafeMutablePointer<Float>, _ window: BlockWindow<Float>) {
        var window = unsafe ntk_window_f32(window)
        unsafe ntk_extend_block_f32(extended, &window)
    }

    @unsafe public static func slideBlock(
        _ out: UnsafeMutablePointer<Float>, rows: Int, stride: Int, _ extended: UnsafePointer<Float>, extendedStride: Int, taps: Int, scale: Float
    ) {
        unsafe ntk_slide_block_f32(out, rows, stride, extended, extendedStride, taps, scale)
    }

    @unsafe public static func windowPlane(
        _ out: UnsafeMutablePointer<Float>, rows: Int, stride: Int, _ input: UnsafePointer<Float>, _ extended: UnsafeMutablePointer<Float>,
        _ window: BlockWindow<Float>, table: UnsafePointer<Int32>, taps: Int, scale: Float
    ) {
        var window = unsafe ntk_window_f32(window)
        unsafe ntk_window_plane_f32(out, rows, stride, input, extended, &window, table, taps, scale)
    }

    @unsafe public static func affineReluBlock(
        _ distance: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>, _ shape: BlockShape, thetaIsZero: Bool,
        _ parameters: AffineRelu<Float>, _ q1: UnsafePointer<Float>, _ q2: UnsafePointer<Float>, _ a1: UnsafePointer<Float>,
        _ i1: UnsafePointer<Float>,
        _ a2: UnsafePointer<Float>, _ i2: UnsafePointer<Float>
    ) {
        var parameters = ntk_affine_relu_f32(
            weight: parameters.weight, input: parameters.input, constant: parameters.constant, asymmetry: parameters.asymmetry,
            power: parameters.power)
        unsafe ntk_affine_relu_block_f32(
            distance, theta, shape.rows, shape.stride, shape.isAligned ? 1 : 0, thetaIsZero ? 1 : 0, &parameters, q1, q2, a1, i1, a2, i2)
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

extension ntk_window_f64 {
    @unsafe fileprivate init(_ window: BlockWindow<Double>) {
        unsafe self.init(
            blocks: window.blocks, count: window.count, first_alone: window.firstAlone, second_alone: window.secondAlone, first: window.first,
            second: window.second, width: window.width, stride: window.stride, low: window.low, high: window.high,
            extended_stride: window.extendedStride, wraps: window.wraps ? 1 : 0)
    }
}

extension ntk_window_f32 {
    @unsafe fileprivate init(_ window: BlockWindow<Float>) {
        unsafe self.init(
            blocks: window.blocks, count: window.count, first_alone: window.firstAlone, second_alone: window.secondAlone, first: window.first,
            second: window.second, width: window.width, stride: window.stride, low: window.low, high: window.high,
            extended_stride: window.extendedStride, wraps: window.wraps ? 1 : 0)
    }
}
