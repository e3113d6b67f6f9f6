public import CDualActivations
import LinearAlgebra

/// Unit vectors in rows or in panels, and of each the sums by which `cosines` spares multiplications: see `ntk_points` in dual_activations.h.
@unsafe public struct UnitPoints<Element: KernelScalar> {
    @usableFromInline package var units, pairSums: UnsafePointer<Element>
    /// Elements of `pairSums` from one chunk of coordinates to the next.
    @usableFromInline package var stride: Int

    @inlinable
    package init(units: UnsafePointer<Element>, pairSums: UnsafePointer<Element>, stride: Int) {
        unsafe (self.units, self.pairSums, self.stride) = (units, pairSums, stride)
    }
}

/// The window of one block along the leading axes, and its margins along the last: see `ntk_window` in dual_activations.h.
@unsafe public struct BlockWindow<Element: KernelScalar> {
    @usableFromInline package var blocks: UnsafePointer<UnsafePointer<Element>?>?
    @usableFromInline package var count: Int
    @usableFromInline package var firstAlone, secondAlone, first, second: UnsafePointer<Element>?
    @usableFromInline package var width, stride, low, high, extendedStride: Int
    @usableFromInline package var wraps: Bool

    @inlinable
    package init(
        blocks: UnsafePointer<UnsafePointer<Element>?>?, count: Int, firstAlone: UnsafePointer<Element>?, secondAlone: UnsafePointer<Element>?,
        first: UnsafePointer<Element>?, second: UnsafePointer<Element>?, width: Int, stride: Int, low: Int, high: Int, extendedStride: Int,
        wraps: Bool
    ) {
        unsafe (self.blocks, self.count) = (blocks, count)
        unsafe (self.firstAlone, self.secondAlone, self.first, self.second) = (firstAlone, secondAlone, first, second)
        unsafe (self.width, self.stride, self.low, self.high) = (width, stride, low, high)
        unsafe (self.extendedStride, self.wraps) = (extendedStride, wraps)
    }
}

/// An affine map, and after it phi(u) = a min(u, 0) + b max(u, 0) as `ab_relu` takes it.
public struct AffineRelu<Element: KernelScalar>: Sendable {
    @usableFromInline package var weight, input, constant, asymmetry, power: Element
    /// Whether it is relu (asymmetry 1) and no covariance is negative.
    @usableFromInline package var isNear: Bool

    @inlinable
    package init(weight: Element, input: Element, constant: Element, asymmetry: Element, power: Element, isNear: Bool) {
        (self.weight, self.input, self.constant) = (weight, input, constant)
        (self.asymmetry, self.power, self.isNear) = (asymmetry, power, isNear)
    }
}

/// Rows of a block and the elements from one to the next. `isAligned`: one row, whose element c is the pair of positions (c, c); otherwise
/// element c of row r is the pair (r, c).
public struct BlockShape: Sendable, Equatable {
    @usableFromInline package var rows: Int
    @usableFromInline package var stride: Int
    @usableFromInline package var isAligned: Bool

    @inlinable
    package init(rows: Int, stride: Int, isAligned: Bool) { (self.rows, self.stride, self.isAligned) = (rows, stride, isAligned) }
}

/// The constants of the points of one side for the erf layer, see `PointSet.ErfConstants`.
@unsafe public struct ErfPointers<Element: KernelScalar> {
    @usableFromInline package let p, r, rest, cosine, scale, inverse: UnsafePointer<Element>

    @inlinable
    package init(
        p: UnsafePointer<Element>, r: UnsafePointer<Element>, rest: UnsafePointer<Element>, cosine: UnsafePointer<Element>,
        scale: UnsafePointer<Element>, inverse: UnsafePointer<Element>
    ) {
        unsafe (self.p, self.r, self.rest) = (p, r, rest)
        unsafe (self.cosine, self.scale, self.inverse) = (cosine, scale, inverse)
    }
}

/// Loops work on whole runs of this many pairs.
@inlinable package var run: Int { Int(NTK_RUN) }

/// Inner products are computed for whole blocks of this many rows.
@inlinable package var blockRows: Int { Int(NTK_BLOCK_ROWS) }

/// Coordinates in a chunk of `cosines`.
@inlinable package var cosineChunk: Int { Int(NTK_COSINE_CHUNK) }
