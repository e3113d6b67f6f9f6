public import LinearAlgebra

/// A precision in which kernels are computed, with the element loops of `CDualActivations` for it (dual_activations.h says what each does).
public protocol KernelScalar: Scalar {
    static var precisionName: String { get }
    /// Below this gap the GEMM's rounding error eps would show in the angle as eps / angle, and the gap is computed from the difference.
    static var directGap: Self { get }

    /// Points in a panel of `innerProducts`.
    static var productPanel: Int { get }
    /// Points in a panel of `cosines`, on this machine.
    static var cosinePanel: Int { get }

    @unsafe static func normalize(_ x: UnsafePointer<Double>, _ unit: UnsafeMutablePointer<Self>, _ dimension: Int) -> Double
    @unsafe static func packPanel(_ panel: UnsafeMutablePointer<Self>, _ rows: UnsafePointer<Self>, _ dimension: Int, points: Int)
    @unsafe static func innerProducts(
        _ out: UnsafeMutablePointer<Self>, stride: Int, _ rows: UnsafePointer<Self>, count: Int, _ panels: UnsafePointer<Self>, panelCount: Int,
        _ dimension: Int, upperOnly: Bool)
    @unsafe static func pairSums(_ sums: UnsafeMutablePointer<Self>, stride: Int, _ unit: UnsafePointer<Self>, _ dimension: Int)
    /// `innerProducts` for unit vectors alone, and faster.
    @unsafe static func cosines(
        _ out: UnsafeMutablePointer<Self>, stride: Int, _ rows: UnitPoints<Self>, count: Int, _ columns: UnitPoints<Self>, panelCount: Int,
        _ dimension: Int, upperOnly: Bool)
    @unsafe static func gapFromCosine(_ z: UnsafeMutablePointer<Self>, _ count: Int)
    @unsafe static func refineGaps(
        _ z: UnsafeMutablePointer<Self>, _ count: Int, _ x: UnsafePointer<Double>, norm: Double, _ others: UnsafePointer<Double>,
        norms: UnsafePointer<Double>, _ dimension: Int
    ) -> Bool
    @unsafe static func nearRelu(_ z: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ count: Int, _ power: Self)
    @unsafe static func affineRelu(
        _ z: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>, _ count: Int, _ weight: Self, _ input: Self, _ constant: Self,
        _ a: Self, _ aOthers: UnsafePointer<Self>, _ power: Self, isNear: Bool)
    @unsafe static func nearConstant(
        _ z: UnsafeMutablePointer<Self>, _ count: Int, _ s: Self, _ e: Self, _ sOthers: UnsafePointer<Self>, _ eOthers: UnsafePointer<Self>)
    @unsafe static func abRelu(_ z: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ count: Int, _ asymmetry: Self, _ power: Self)
    @unsafe static func addConstant(
        _ z: UnsafeMutablePointer<Self>, _ count: Int, _ s: Self, _ e: Self, _ sOthers: UnsafePointer<Self>, _ eOthers: UnsafePointer<Self>)
    @unsafe static func affineTheta(
        _ theta: UnsafeMutablePointer<Self>, _ z: UnsafePointer<Self>, _ count: Int, _ weight: Self, _ input: Self, _ constant: Self, _ a: Self,
        _ aOthers: UnsafePointer<Self>)
    @unsafe static func erf(
        _ z: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ count: Int, _ slope: Self, _ point: UnsafePointer<Self>,
        _ others: ErfPointers<Self>
    ) -> Bool
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
    /// Returns, where Θ is zero, whether squared distances told an angle badly: see `is_blurred` in convolutions.inc.
    @unsafe static func affineReluBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>, _ shape: BlockShape, thetaIsZero: Bool,
        _ parameters: AffineRelu<Self>, _ q1: UnsafePointer<Self>, _ q2: UnsafePointer<Self>, _ a1: UnsafePointer<Self>,
        _ i1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>, _ i2: UnsafePointer<Self>
    ) -> Bool
    /// After `extendBlock`: three taps along the last axis, and then `affineReluBlock`. `tangents` nil: Θ is zero.
    @unsafe static func convolutionReluBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>, _ shape: BlockShape, _ extended: UnsafePointer<Self>,
        _ tangents: UnsafePointer<Self>?, extendedStride: Int, scale: Self, _ parameters: AffineRelu<Self>, _ q1: UnsafePointer<Self>,
        _ q2: UnsafePointer<Self>, _ a1: UnsafePointer<Self>, _ i1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>, _ i2: UnsafePointer<Self>
    ) -> Bool
    /// The same as `extendBlock` and `convolutionReluBlock`, to the same bits, where rows are one or two whole runs: see `WindowTable.isInRegisters`.
    @unsafe static func windowReluBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>, _ window: BlockWindow<Self>, _ tangents: BlockWindow<Self>?,
        scale: Self, _ parameters: AffineRelu<Self>, _ q1: UnsafePointer<Self>, _ q2: UnsafePointer<Self>, _ a1: UnsafePointer<Self>,
        _ i1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>, _ i2: UnsafePointer<Self>
    ) -> Bool
    @unsafe static func affineBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, thetaIsZero: Bool, _ shape: BlockShape, weight: Self,
        input: Self, constant: Self, _ q1: UnsafePointer<Self>, _ q2: UnsafePointer<Self>)
    @unsafe static func abReluBlock(
        _ distance: UnsafeMutablePointer<Self>, _ theta: UnsafeMutablePointer<Self>?, _ shape: BlockShape, asymmetry: Self, power: Self,
        _ a1: UnsafePointer<Self>, _ i1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>, _ i2: UnsafePointer<Self>)
    @unsafe static func blurredBlock(
        _ distance: UnsafePointer<Self>, _ shape: BlockShape, _ a1: UnsafePointer<Self>, _ a2: UnsafePointer<Self>
    ) -> Bool
    @unsafe static func blockSum(_ block: UnsafePointer<Self>, rows: Int, columns: Int, stride: Int) -> Double
    @unsafe static func inputDistances(
        _ out: UnsafeMutablePointer<Self>, _ shape: BlockShape, _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, channels: Int)
}
