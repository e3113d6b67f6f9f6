internal import CDualActivations
public import LinearAlgebra

extension Float: KernelScalar {
    public static var precisionName: String { "float32" }
    public static var directGap: Float { 0.05 }

    @unsafe public static func normalize(_ x: UnsafePointer<Double>, _ unit: UnsafeMutablePointer<Float>, _ dimension: Int) -> Double {
        unsafe ntk_normalize_f32(x, unit, dimension)
    }

    public static var productPanel: Int { Int(NTK_PRODUCT_PANEL_f32) }
    public static let cosinePanel = ntk_cosine_panel_f32()

    @unsafe public static func packPanel(_ panel: UnsafeMutablePointer<Float>, _ rows: UnsafePointer<Float>, _ dimension: Int, points: Int) {
        unsafe ntk_pack_panel_f32(panel, rows, dimension, points)
    }

    @unsafe public static func innerProducts(
        _ out: UnsafeMutablePointer<Float>, stride: Int, _ rows: UnsafePointer<Float>, count: Int, _ panels: UnsafePointer<Float>, panelCount: Int,
        _ dimension: Int, upperOnly: Bool
    ) {
        unsafe ntk_inner_products_f32(out, stride, rows, count, panels, panelCount, dimension, upperOnly ? 1 : 0)
    }

    @unsafe public static func pairSums(
        _ sums: UnsafeMutablePointer<Float>, stride: Int, _ unit: UnsafePointer<Float>, _ dimension: Int
    ) {
        unsafe ntk_pair_sums_f32(sums, stride, unit, dimension)
    }

    @unsafe public static func cosines(
        _ out: UnsafeMutablePointer<Float>, stride: Int, _ rows: UnitPoints<Float>, count: Int, _ columns: UnitPoints<Float>, panelCount: Int,
        _ dimension: Int, upperOnly: Bool
    ) {
        unsafe ntk_cosines_f32(
            out, stride, ntk_points_f32(rows), count, ntk_points_f32(columns), panelCount, dimension, upperOnly ? 1 : 0)
    }

    @unsafe public static func gapFromCosine(_ z: UnsafeMutablePointer<Float>, _ count: Int) {
        unsafe ntk_gap_from_cosine_f32(z, count)
    }

    @unsafe public static func refineGaps(
        _ z: UnsafeMutablePointer<Float>, _ count: Int, _ x: UnsafePointer<Double>, norm: Double, _ others: UnsafePointer<Double>,
        norms: UnsafePointer<Double>, _ dimension: Int
    ) -> Bool {
        unsafe ntk_refine_gaps_f32(z, count, x, norm, others, norms, dimension, directGap) != 0
    }

    @unsafe public static func nearRelu(
        _ z: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>?, _ count: Int, _ power: Float
    ) {
        unsafe ntk_near_relu_f32(z, theta, count, power)
    }

    @unsafe public static func affineRelu(
        _ z: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>, _ count: Int, _ weight: Float, _ input: Float, _ constant: Float,
        _ a: Float, _ aOthers: UnsafePointer<Float>, _ power: Float, isNear: Bool
    ) {
        unsafe ntk_affine_then_relu_f32(z, theta, count, weight, input, constant, a, aOthers, power, isNear ? 1 : 0)
    }

    @unsafe public static func nearConstant(
        _ z: UnsafeMutablePointer<Float>, _ count: Int, _ s: Float, _ e: Float, _ sOthers: UnsafePointer<Float>, _ eOthers: UnsafePointer<Float>
    ) {
        unsafe ntk_near_constant_f32(z, count, s, e, sOthers, eOthers)
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
    ) -> Bool {
        unsafe ntk_erf_f32(z, theta, count, slope, point, others.p, others.r, others.rest, others.cosine, others.scale, others.inverse) != 0
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
    ) -> Bool {
        var parameters = ntk_affine_relu_f32(parameters)
        return unsafe ntk_affine_relu_block_f32(
            distance, theta, shape.rows, shape.stride, shape.isAligned ? 1 : 0, thetaIsZero ? 1 : 0, &parameters, q1, q2, a1, i1, a2, i2) != 0
    }

    @unsafe public static func convolutionReluBlock(
        _ distance: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>, _ shape: BlockShape, _ extended: UnsafePointer<Float>,
        _ tangents: UnsafePointer<Float>?, extendedStride: Int, scale: Float, _ parameters: AffineRelu<Float>, _ q1: UnsafePointer<Float>,
        _ q2: UnsafePointer<Float>, _ a1: UnsafePointer<Float>, _ i1: UnsafePointer<Float>, _ a2: UnsafePointer<Float>, _ i2: UnsafePointer<Float>
    ) -> Bool {
        var parameters = ntk_affine_relu_f32(parameters)
        return unsafe ntk_convolution_relu_block_f32(
            distance, theta, shape.rows, shape.stride, extended, tangents, extendedStride, scale, &parameters, q1, q2, a1, i1, a2, i2) != 0
    }

    @unsafe public static func windowReluBlock(
        _ distance: UnsafeMutablePointer<Float>, _ theta: UnsafeMutablePointer<Float>, _ window: BlockWindow<Float>, _ tangents: BlockWindow<Float>?,
        scale: Float, _ parameters: AffineRelu<Float>, _ q1: UnsafePointer<Float>, _ q2: UnsafePointer<Float>, _ a1: UnsafePointer<Float>,
        _ i1: UnsafePointer<Float>, _ a2: UnsafePointer<Float>, _ i2: UnsafePointer<Float>
    ) -> Bool {
        var parameters = ntk_affine_relu_f32(parameters)
        var window = unsafe ntk_window_f32(window)
        if let tangents = unsafe tangents {
            var tangents = unsafe ntk_window_f32(tangents)
            return unsafe ntk_window_relu_block_f32(distance, theta, &window, &tangents, scale, &parameters, q1, q2, a1, i1, a2, i2) != 0
        } else {
            return unsafe ntk_window_relu_block_f32(distance, theta, &window, nil, scale, &parameters, q1, q2, a1, i1, a2, i2) != 0
        }
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

    @unsafe public static func blurredBlock(
        _ distance: UnsafePointer<Float>, _ shape: BlockShape, _ a1: UnsafePointer<Float>, _ a2: UnsafePointer<Float>
    ) -> Bool {
        unsafe ntk_blurred_block_f32(distance, shape.rows, shape.stride, shape.isAligned ? 1 : 0, a1, a2) != 0
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

extension ntk_points_f32 {
    @unsafe fileprivate init(_ points: UnitPoints<Float>) {
        unsafe self.init(units: points.units, pair_sums: points.pairSums, stride: points.stride)
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

extension ntk_affine_relu_f32 {
    fileprivate init(_ parameters: AffineRelu<Float>) {
        self.init(
            weight: parameters.weight, input: parameters.input, constant: parameters.constant, asymmetry: parameters.asymmetry,
            power: parameters.power, near: parameters.isNear ? 1 : 0)
    }
}
