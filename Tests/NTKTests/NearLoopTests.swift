import LinearAlgebra
import TestSupport
import Testing

@testable import NTK

/// The loops for covariances that are not negative beside those for all, and inner products beside plain sums.
struct NearLoopTests {
    @Test func nearReluIsReluToTheBit() { near(Double.self) }
    @Test func nearReluIsReluToTheBitInFloat32() { near(Float.self) }

    private func near<Element: KernelScalar>(_: Element.Type) {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let count = 64 * run
        func numbers(_ range: ClosedRange<Double>) -> Storage<Element> { self.numbers(count, range, &generator) }
        let gaps = numbers(0...1)
        for (index, gap) in [0, 1, 1e-30, 1e-15, 1e-7, 0.5].enumerated() { gaps.set(index, Element(gap)) }
        let (shares, rest) = (numbers(0...1), numbers(0...1))
        let (theta1, theta2) = (numbers(1...1), numbers(1...1))
        let (z1, z2) = (copy(gaps), copy(gaps))
        unsafe Element.abRelu(z1.base, theta1.base, count, 1, 0.5)
        unsafe Element.nearRelu(z2.base, theta2.base, count, 0.5)
        #expect(z1.elements == z2.elements, "seed \(seed)")
        #expect(theta1.elements == theta2.elements, "seed \(seed)")
        // Shares of positive numbers: a cosine stays positive.
        for index in 0..<count {
            let share = shares.elements[index].squareRoot()
            rest.set(index, (1 - share * share).squareRoot())
            shares.set(index, share)
        }
        unsafe Element.addConstant(z1.base, count, 0.6, 0.8, shares.base, rest.base)
        unsafe Element.nearConstant(z2.base, count, 0.6, 0.8, shares.base, rest.base)
        #expect(z1.elements == z2.elements, "seed \(seed)")
        #expect(z2.elements.allSatisfy { $0 >= 0 && $0 <= 1 }, "seed \(seed)")
    }

    @Test(arguments: [false, true]) func affineReluIsBothToTheBit(isNear: Bool) {
        affineRelu(Double.self, isNear)
        affineRelu(Float.self, isNear)
    }

    private func affineRelu<Element: KernelScalar>(_: Element.Type, _ isNear: Bool) {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let count = 64 * run
        func numbers(_ range: ClosedRange<Double>) -> Storage<Element> { self.numbers(count, range, &generator) }
        let (z1, theta1, others) = (numbers((isNear ? 0 : -1)...1), numbers(0...3), numbers(0...2))
        let (z2, theta2) = (copy(z1), copy(theta1))
        let (weight, input, constant, a, power): (Element, Element, Element, Element, Element) = (1.9, 2.1, 0.3, 1.7, 0.5)
        unsafe Element.affineTheta(theta1.base, z1.base, count, weight, input, constant, a, others.base)
        unsafe Element.abRelu(z1.base, theta1.base, count, 1, power)
        unsafe Element.affineRelu(z2.base, theta2.base, count, weight, input, constant, a, others.base, power, isNear: isNear)
        #expect(z1.elements == z2.elements && theta1.elements == theta2.elements, "seed \(seed)")
    }

    private func numbers<Element: KernelScalar>(_ count: Int, _ range: ClosedRange<Double>, _ generator: inout SeededGenerator) -> Storage<Element> {
        let storage = Storage<Element>(count: count)
        for index in 0..<count { storage.set(index, Element(Double.random(in: range, using: &generator))) }
        return storage
    }

    private func copy<Element: KernelScalar>(_ storage: Storage<Element>) -> Storage<Element> {
        let copy = Storage<Element>(count: storage.count)
        for (index, element) in storage.elements.enumerated() { copy.set(index, element) }
        return copy
    }

    @Test(arguments: [1, 7, 8, 391, 392, 393, 900])
    func innerProducts(dimension: Int) {
        products(dimension, Double.self, tolerance: 1e-15)
        products(dimension, Float.self, tolerance: 1e-6)
    }

    private func products<Element: KernelScalar>(_ d: Int, _: Element.Type, tolerance: Double) {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let (rows, panels) = (3 * blockRows, 2)
        let count = panels * Element.productPanel
        let points: Storage<Element> = numbers(count * d, -1...1, &generator)
        let packed = Storage<Element>(count: points.count)
        for panel in 0..<panels {
            let start = panel * Element.productPanel * d
            unsafe Element.packPanel(packed.base + start, points.base + start, d, points: Element.productPanel)
        }
        func computed(upperOnly: Bool) -> [Element] {
            let out = Storage<Element>(count: rows * count)
            unsafe out.base.initialize(repeating: 7, count: out.count)
            unsafe Element.innerProducts(
                out.base, stride: count, points.base, count: rows, packed.base, panelCount: panels, d, upperOnly: upperOnly)
            return out.elements
        }
        let products = PairProducts(rows: rows, count: count, elements: computed(upperOnly: false), seed: seed)
        products.expectSums(of: points.elements, d, tolerance: tolerance * Double(d + 1))
        products.expectSymmetry()
        products.expectUpperHalf(computed(upperOnly: true))
    }
}
