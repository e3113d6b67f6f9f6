import Architecture
import KernelLoops
import LinearAlgebra

/// A window, an affine map and a relu over a plane of aligned pairs, with all addresses that are the same for every pair of points.
///
/// What a pair of points takes here is a few microseconds, so that looking up tables and counting references to what all threads share would
/// take as long as the arithmetic.
@unsafe struct AlignedChain<Element: KernelScalar> {
    private let window: BlockWindow<Element>
    private let rows: UnsafePointer<Int32>
    private let extended: UnsafeMutablePointer<Element>
    private let source, sourceTheta, target, targetTheta: UnsafeMutablePointer<Element>
    private let outputRows, outputStride, taps: Int
    private let scale: Element
    private let shape: BlockShape
    private let isThetaZero: Bool
    private let parameters: AffineRelu<Element>
    private let affine: Int

    /// Nil where the chain is not over aligned pairs, or its windows are not neighbours.
    ///
    /// - Parameters:
    ///   - index: the window's instruction.
    ///   - rows: the table's rows, in memory that outlives the chain.
    init?(
        _ chain: SpatialPlan.Chain, _ index: Int, _ table: WindowTable, rows: UnsafePointer<Int32>, isThetaZero: Bool,
        _ input: SpatialPass<Element>.Plane, _ output: SpatialPass<Element>.Plane, extended: UnsafeMutablePointer<Element>
    ) {
        guard table.input.pairing != .full, unsafe input.list.pairing == table.input.pairing, table.isContiguous,
            let sourceTheta = unsafe input.theta, let targetTheta = unsafe output.theta
        else { return nil }
        unsafe window = BlockWindow(table)
        unsafe (self.rows, self.extended) = (rows, extended)
        unsafe (source, self.sourceTheta, target, self.targetTheta) = (input.base, sourceTheta, output.base, targetTheta)
        unsafe (outputRows, outputStride, taps) = (table.output.grid.rows, table.output.grid.stride, table.inner.window)
        unsafe (scale, shape, self.isThetaZero) = (Element(table.scale), table.output.shape, isThetaZero)
        unsafe parameters = AffineRelu(chain)
        unsafe affine = index + 1
    }

    /// Runs it over the two points whose variances are at these addresses: see `PointStats.addresses`. Whether an angle was blurred.
    func run(_ first: UnsafePointer<UInt>, _ second: UnsafePointer<UInt>) throws -> Bool {
        guard let q1 = unsafe plane(first, affine, 0), let q2 = unsafe plane(second, affine, 0), let a1 = unsafe plane(first, affine + 1, 1),
            let i1 = unsafe plane(first, affine + 1, 2), let a2 = unsafe plane(second, affine + 1, 1),
            let i2 = unsafe plane(second, affine + 1, 2)
        else { throw KernelFault("variances of a chain") }
        unsafe Element.windowPlane(
            target, rows: outputRows, stride: outputStride, source, extended, window, table: rows, taps: taps, scale: scale)
        if unsafe !isThetaZero {
            unsafe Element.windowPlane(
                targetTheta, rows: outputRows, stride: outputStride, sourceTheta, extended, window, table: rows, taps: taps, scale: scale)
        }
        return unsafe Element.affineReluBlock(target, targetTheta, shape, thetaIsZero: isThetaZero, parameters, q1, q2, a1, i1, a2, i2)
    }

    @inline(__always)
    private func plane(_ addresses: UnsafePointer<UInt>, _ value: Int, _ kind: Int) -> UnsafePointer<Element>? {
        unsafe UnsafePointer(bitPattern: addresses[3 * value + kind])
    }
}

extension AffineRelu {
    init(_ chain: SpatialPlan.Chain) {
        self.init(
            weight: Element(chain.affine.weight), input: Element(chain.affine.input), constant: Element(chain.affine.constant),
            asymmetry: Element(chain.abRelu.asymmetry), power: Element(chain.abRelu.power), isNear: chain.isNear)
    }
}
