import LinearAlgebra
import TestSupport
import Testing

@testable import NTK

/// Cosines by Winograd's inner products beside plain sums.
struct CosineTests {
    @Test(arguments: [1, 2, 3, 4, cosineChunk - 1, cosineChunk, cosineChunk + 1, cosineChunk + 2, 2 * cosineChunk, 2 * cosineChunk + 70])
    func cosines(dimension: Int) {
        cosines(dimension, Double.self, tolerance: 5e-15)
        cosines(dimension, Float.self, tolerance: 3e-6)
    }

    private func cosines<Element: KernelScalar>(_ d: Int, _: Element.Type, tolerance: Double) {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        // Blocks of ten and four, and below of two.
        let (rows, panels) = (28, 2)
        let count = panels * Element.cosinePanel
        var x = (0..<count * d).map { _ in Double.random(in: -0.5...1, using: &generator) }
        // A zero, one point twice, its opposite, one alone in its coordinate.
        for k in 0..<d {
            x[3 * d + k] = 0
            x[5 * d + k] = x[4 * d + k]
            x[6 * d + k] = -x[4 * d + k]
            x[7 * d + k] = k == d / 2 ? 1e9 : 0
        }
        let (units, packed) = (Storage<Element>(count: count * d), Storage<Element>(count: count * d))
        let sums = Storage<Element>(count: count * (d / cosineChunk + 1))
        for point in 0..<count {
            _ = unsafe x.withUnsafeBufferPointer { unsafe Element.normalize($0.baseAddress! + point * d, units.base + point * d, d) }
            unsafe Element.pairSums(sums.base + point, stride: count, units.base + point * d, d)
        }
        for point in stride(from: 0, to: count, by: Element.cosinePanel) {
            unsafe Element.packPanel(packed.base + point * d, units.base + point * d, d, points: Element.cosinePanel)
        }
        func cosines(from first: Int = 0, rows: Int, upperOnly: Bool = false) -> [Element] {
            let out = Storage<Element>(count: rows * count)
            unsafe out.base.initialize(repeating: 7, count: out.count)
            let own = unsafe UnitPoints(units: units.base + first * d, pairSums: sums.base + first, stride: count)
            let others = unsafe UnitPoints(units: packed.base, pairSums: sums.base, stride: count)
            unsafe Element.cosines(out.base, stride: count, own, count: rows, others, panelCount: panels, d, upperOnly: upperOnly)
            return out.elements
        }
        let result = cosines(rows: rows)
        let products = PairProducts(rows: rows, count: count, elements: result, seed: seed)
        products.expectSums(of: units.elements, d, tolerance: tolerance)
        products.expectSymmetry()
        products.expectUpperHalf(cosines(rows: rows, upperOnly: true))
        // Nor do they tell the rows beside them.
        for height in stride(from: blockRows, to: rows, by: blockRows) {
            let few = cosines(from: blockRows, rows: height)
            #expect(few == Array(result[blockRows * count..<(blockRows + height) * count]), "\(height) rows, seed \(seed)")
        }
    }
}
