import Activations
import Architecture
import KernelLoops
import LinearAlgebra

/// What belongs to one point with spatial axes and not to pairs: its numbers, and the variances at every position of every value.
struct PointStats<Element: KernelScalar>: Sendable {
    /// Channel by channel within each row of positions: element ((row · channels) + channel) · stride + x. Where pairs are held by gaps, of
    /// unit vectors.
    let input: Storage<Element>
    /// Estimated error of its duals, as `DualActivation.errorEstimate` has it.
    var dualError = 0.0
    /// Root of the largest variance of the input.
    var largest = 0.0
    /// Whether positions of very different length come before a layer that makes them equal, so that what squared distances lose would show.
    var isUneven = false
    /// Root of the largest variance of each value that is held by squared distances.
    var levels: [Double] = []
    /// Whether a variance is below the range of numbers where that would pass for zero.
    var vanishes = false
    /// Variances of each value that needs them.
    var variances: IndexTable<Variances<Element>> = [:]
    /// Of values that are held by covariances: what the variances would be if nothing had cancelled when positions were mixed. By so much rounding
    /// is measured.
    var magnitudes: IndexTable<[Double]> = [:]
    /// Of values whose features were mixed: by how much the variance would be larger if nothing had cancelled. By so much rounding of Θ, which
    /// has no features, is measured.
    var cancellations: IndexTable<Double> = [:]
    /// Of values whose positions' features are needed, and of those whose gaps come from them the unit vectors, as `input` has them.
    var features: IndexTable<PositionFeatures> = [:]
    var units: IndexTable<Storage<Element>> = [:]
    /// Which positions of a value are masked; nil: none of any.
    var masks: [[Bool]]?
    /// By instruction: what `DualActivation` prepared.
    var duals: IndexTable<DualActivation.Points> = [:]
    /// By instruction: 1 / √(mean variance) at each position.
    var scales: IndexTable<Variances<Element>> = [:]
    /// By instruction: for each row of a window's output, its input rows' variances added up, padded.
    var windowSums: IndexTable<Storage<Element>> = [:]
    /// By instruction: for each tap of a window, at [(tap · rows + row) · stride + x] of its output, the root of the variance that the tap finds,
    /// such that the squares of all taps add up to 1.
    var windowUnits: IndexTable<Storage<Element>> = [:]
    /// By instruction: what an aggregation sums.
    var aggregations: IndexTable<SpatialMap> = [:]
    /// By instruction: the operator [outputs, positions] of an attention.
    var operators: IndexTable<Matrix<Element>> = [:]

    /// Addresses of the variances, their roots and the roots' inverses of each value, 0 where there are none; good as long as this lives.
    var addresses: [UInt] = []

    /// Sets the addresses, when all variances are there.
    mutating func setAddresses(valueCount: Int) {
        addresses = (0..<valueCount).flatMap { value in
            guard let variances = variances[value] else { return [0, 0, 0] as [UInt] }
            return unsafe [variances.row(0), variances.roots(0), variances.inverses(0)].map { UInt(bitPattern: $0) }
        }
    }

    /// Sets the levels, when all variances are there.
    mutating func setLevels(_ forms: [PairForm]) {
        levels = forms.enumerated().map { value, form in form == .distance ? (variances[value]?.values.max() ?? 0).squareRoot() : 0 }
    }

    /// Whether two points have the same numbers, and no patterns in which they could differ.
    func isEqual(_ other: PointStats) -> Bool {
        guard aggregations.values.isEmpty, masks == other.masks, input.count == other.input.count, variances[0]?.values == other.variances[0]?.values
        else { return input === other.input }
        if input === other.input { return true }
        return (0..<input.count).allSatisfy { unsafe input.base[$0] == other.input.base[$0] }
    }

    func mask(_ value: Int) -> [Bool]? {
        guard let mask = masks?[value], mask.contains(true) else { return nil }
        return mask
    }
}

/// Numbers of every position of a value, and for the loops their roots and the roots' inverses, each row padded to whole registers.
final class Variances<Element: KernelScalar>: Sendable {
    let values: [Double]
    let grid: PositionGrid
    private let planes: Storage<Element>

    init(_ values: [Double], _ grid: PositionGrid) {
        self.values = values
        self.grid = grid
        let size = grid.rows * grid.stride
        planes = Storage(count: 3 * size)
        let base = unsafe planes.base
        unsafe values.withUnsafeBufferPointer { values in
            guard let first = values.baseAddress else { return }
            unsafe Element.variancePlanes(
                first, rows: grid.rows, width: grid.width, stride: grid.stride, base, base + size, base + 2 * size)
        }
    }

    /// The values of a row of positions.
    @unsafe func row(_ row: Int) -> UnsafeMutablePointer<Element> { unsafe planes.base + row * grid.stride }
    @unsafe func roots(_ row: Int) -> UnsafeMutablePointer<Element> { unsafe planes.base + (grid.rows + row) * grid.stride }
    @unsafe func inverses(_ row: Int) -> UnsafeMutablePointer<Element> { unsafe planes.base + (2 * grid.rows + row) * grid.stride }
}
