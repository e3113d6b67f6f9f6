internal import CThinProducts
internal import Glibc
public import LinearAlgebra

/// K ≈ F Fᵀ with F [n, r], its pivots drawn in proportion to what is left of the diagonal (Chen, Epperly, Tropp, Webber 2022, arXiv
/// 2207.06503, Algorithm 2, in blocks), (F Fᵀ + μI)⁻¹ is the preconditioner of Díaz, Epperly, Frangella, Tropp, Webber 2023
/// (arXiv 2304.12465), see `LowRankInverse`. Reads n r entries of the kernel; O(n r²).
public struct RandomlyPivotedCholesky: Sendable {
    /// F [n, r], with columns of zeros up to a multiple of 64.
    public let factor: Matrix<Double>
    /// r.
    public let rank: Int
    /// tr (K − F Fᵀ).
    public let residualTrace: Double

    private static let blockSize = 64

    /// - Parameters:
    ///   - columns: columns of K [n, count].
    ///   - seed: the same seed draws the same pivots.
    public init(
        diagonal: [Double], rank wanted: Int, seed: UInt64 = 0, on executor: any TileExecutor, columns: ([Int]) throws -> Matrix<Double>
    ) throws {
        let n = diagonal.count
        let total = diagonal.reduce(0, +)
        let most = min(wanted, n)
        var left = diagonal
        var parts: [Matrix<Double>] = []
        var found = 0
        var generator = SplitMix64(seed: seed)
        while found < most, left.reduce(0, +) > 1e-14 * total {
            let drawn = Self.draw(min(Self.blockSize, most - found), left, &generator)
            guard !drawn.isEmpty else { break }
            // What the columns still have beyond the factor so far.
            var block = try columns(drawn)
            for part in parts {
                block = block.subtracting(try part.multiplyTransposed(part.rows(drawn), on: executor))
            }
            let pivots = block.rows(drawn).symmetricCore
            pivots.addToDiagonal(Double(n) * .ulpOfOne * max(total / Double(n), .leastNormalMagnitude))
            guard let cholesky = try? Cholesky(inPlace: pivots, on: executor) else { break }
            let part = try cholesky.whiten(block, on: executor)
            for (point, square) in part.rowSquares.enumerated() { left[point] = max(left[point] - square, 0) }
            for pivot in drawn { left[pivot] = 0 }
            parts.append(part)
            found += part.columns
        }
        // A row of a multiple of 4096 bytes would put whole columns into a few places of a core's cache.
        let even = found.roundedUp(to: Int(NTK_THIN_COLUMNS))
        let width = even > 0 && even.isMultiple(of: 512) ? even + Int(NTK_THIN_COLUMNS) : even
        let factor = Matrix<Double>(zeroRows: n, columns: width)
        var start = 0
        for part in parts {
            for row in 0..<n {
                unsafe (factor.base + row * width + start).update(from: part.base + row * part.columns, count: part.columns)
            }
            start += part.columns
        }
        (self.factor, rank) = (factor, found)
        residualTrace = left.reduce(0, +)
    }

    /// Different indices, each drawn in proportion to its weight.
    private static func draw(_ count: Int, _ weights: [Double], _ generator: inout SplitMix64) -> [Int] {
        var rest = weights
        var drawn: [Int] = []
        var sum = rest.reduce(0, +)
        for _ in 0..<count where sum > 0 {
            var mark = generator.nextUnit() * sum
            var chosen: Int?
            for (index, weight) in rest.enumerated() where weight > 0 {
                chosen = index
                mark -= weight
                if mark < 0 { break }
            }
            guard let chosen else { break }
            drawn.append(chosen)
            sum -= rest[chosen]
            rest[chosen] = 0
        }
        return drawn.sorted()
    }
}

extension Matrix where Element == Double {
    /// A copy with its upper half mirrored, so that it is symmetric bit for bit.
    var symmetricCore: Matrix {
        let result = copy()
        result.mirrorUpperHalf()
        return result
    }
}
