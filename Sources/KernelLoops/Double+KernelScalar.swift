internal import CDualActivations
public import LinearAlgebra

extension Double: KernelScalar {
    public static var precisionName: String { "float64" }
    public static var directGap: Double { 4.5e-4 }

    @unsafe public static func normalize(_ x: UnsafePointer<Double>, _ unit: UnsafeMutablePointer<Double>, _ dimension: Int) -> Double {
        unsafe ntk_normalize_f64(x, unit, dimension)
    }

    public static var productPanel: Int { Int(NTK_PRODUCT_PANEL_f64) }
    public static let cosinePanel = ntk_cosine_panel_f64()

    @unsafe public static func packPanel(_ panel: UnsafeMutablePointer<Double>, _ rows: UnsafePointer<Double>, _ dimension: Int, points: Int) {
        unsafe ntk_pack_panel_f64(panel, rows, dimension, points)
    }

    @unsafe public static func innerProducts(
        _ out: UnsafeMutablePointer<Double>, stride: Int, _ rows: UnsafePointer<Double>, count: Int, _ panels: UnsafePointer<Double>, panelCount: Int,
        _ dimension: Int, upperOnly: Bool
    ) {
        unsafe ntk_inner_products_f64(out, stride, rows, count, panels, panelCount, dimension, upperOnly ? 1 : 0)
    }

    @unsafe public static func pairSums(
        _ sums: UnsafeMutablePointer<Double>, stride: Int, _ unit: UnsafePointer<Double>, _ dimension: Int
    ) {
        unsafe ntk_pair_sums_f64(sums, stride, unit, dimension)
    }

    @unsafe public static func cosines(
        _ out: UnsafeMutablePointer<Double>, stride: Int, _ rows: UnitPoints<Double>, count: Int, _ columns: UnitPoints<Double>, panelCount: Int,
        _ dimension: Int, upperOnly: Bool
    ) {
        unsafe ntk_cosines_f64(
            out, stride, ntk_points_f64(rows), count, ntk_points_f64(columns), panelCount, dimension, upperOnly ? 1 : 0)
    }

    @unsafe public static func gapFromCosine(_ z: UnsafeMutablePointer<Double>, _ count: Int) {
        unsafe ntk_gap_from_cosine_f64(z, count)
    }

    @unsafe public static func refineGaps(
        _ z: UnsafeMutablePointer<Double>, _ count: Int, _ x: UnsafePointer<Double>, norm: Double, _ others: UnsafePointer<Double>,
        norms: UnsafePointer<Double>, _ dimension: Int
    ) -> Bool {
        unsafe ntk_refine_gaps_f64(z, count, x, norm, others, norms, dimension, directGap) != 0
    }

    @unsafe public static func nearRelu(
        _ z: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>?, _ count: Int, _ power: Double
    ) {
        unsafe ntk_near_relu_f64(z, theta, count, power)
    }

    @unsafe public static func affineRelu(
        _ z: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>, _ count: Int, _ weight: Double, _ input: Double, _ constant: Double,
        _ a: Double, _ aOthers: UnsafePointer<Double>, _ power: Double, isNear: Bool
    ) {
        unsafe ntk_affine_then_relu_f64(z, theta, count, weight, input, constant, a, aOthers, power, isNear ? 1 : 0)
    }

    @unsafe public static func nearConstant(
        _ z: UnsafeMutablePointer<Double>, _ count: Int, _ s: Double, _ e: Double, _ sOthers: UnsafePointer<Double>, _ eOthers: UnsafePointer<Double>
    ) {
        unsafe ntk_near_constant_f64(z, count, s, e, sOthers, eOthers)
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
    ) -> Bool {
        unsafe ntk_erf_f64(z, theta, count, slope, point, others.p, others.r, others.rest, others.cosine, others.scale, others.inverse) != 0
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
    ) -> Bool {
        var parameters = ntk_affine_relu_f64(parameters)
        return unsafe ntk_affine_relu_block_f64(
            distance, theta, shape.rows, shape.stride, shape.isAligned ? 1 : 0, thetaIsZero ? 1 : 0, &parameters, q1, q2, a1, i1, a2, i2) != 0
    }

    @unsafe public static func convolutionReluBlock(
        _ distance: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>, _ shape: BlockShape, _ extended: UnsafePointer<Double>,
        _ tangents: UnsafePointer<Double>?, extendedStride: Int, scale: Double, _ parameters: AffineRelu<Double>, _ q1: UnsafePointer<Double>,
        _ q2: UnsafePointer<Double>, _ a1: UnsafePointer<Double>, _ i1: UnsafePointer<Double>, _ a2: UnsafePointer<Double>,
        _ i2: UnsafePointer<Double>
    ) -> Bool {
        var parameters = ntk_affine_relu_f64(parameters)
        return unsafe ntk_convolution_relu_block_f64(
            distance, theta, shape.rows, shape.stride, extended, tangents, extendedStride, scale, &parameters, q1, q2, a1, i1, a2, i2) != 0
    }

    @unsafe public static func windowReluBlock(
        _ distance: UnsafeMutablePointer<Double>, _ theta: UnsafeMutablePointer<Double>, _ window: BlockWindow<Double>,
        _ tangents: BlockWindow<Double>?,
        scale: Double, _ parameters: AffineRelu<Double>, _ q1: UnsafePointer<Double>, _ q2: UnsafePointer<Double>, _ a1: UnsafePointer<Double>,
        _ i1: UnsafePointer<Double>, _ a2: UnsafePointer<Double>, _ i2: UnsafePointer<Double>
    ) -> Bool {
        var parameters = ntk_affine_relu_f64(parameters)
        var window = unsafe ntk_window_f64(window)
        if let tangents = unsafe tangents {
            var tangents = unsafe ntk_window_f64(tangents)
            return unsafe ntk_window_relu_block_f64(distance, theta, &window, &tangents, scale, &parameters, q1, q2, a1, i1, a2, i2) != 0
        } else {
            return unsafe ntk_window_relu_block_f64(distance, theta, &window, nil, scale, &parameters, q1, q2, a1, i1, a2, i2) != 0
        }
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

    @unsafe public static func blurredBlock(
        _ distance: UnsafePointer<Double>, _ shape: BlockShape, _ a1: UnsafePointer<Double>, _ a2: UnsafePointer<Double>
    ) -> Bool {
        unsafe ntk_blurred_block_f64(distance, shape.rows, shape.stride, shape.isAligned ? 1 : 0, a1, a2) != 0
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

extension ntk_points_f64 {
    @unsafe fileprivate init(_ points: UnitPoints<Double>) {
        unsafe self.init(units: points.units, pair_sums: points.pairSums, stride: points.stride)
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

extension ntk_affine_relu_f64 {
    fileprivate init(_ parameters: AffineRelu<Double>) {
        self.init(
            weight: parameters.weight, input: parameters.input, constant: parameters.constant, asymmetry: parameters.asymmetry,
            power: parameters.power, near: parameters.isNear ? 1 : 0)
    }
}
