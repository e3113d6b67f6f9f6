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
}
