import LinearAlgebra
import Testing

@Suite("Sums of numbers of any size")
struct ScaledSumsTests {
    @Test("A norm and a mean are in range where the numbers are", arguments: [1, 0x1p1000, 0x1p-1060] as [Double])
    func scales(scale: Double) {
        #expect(ScaledSums.norm([3 * scale, -4 * scale]) == 5 * scale)
        #expect(ScaledSums.mean([scale * 4, scale * 8, -scale * 3]) == scale * 3)
    }

    @Test("Nothing, zeros, and what is beyond all numbers")
    func ends() {
        #expect(ScaledSums.norm([]) == 0 && ScaledSums.mean([]) == 0 && ScaledSums.norm([0, -0.0]) == 0)
        #expect(ScaledSums.mean([Double.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == .greatestFiniteMagnitude)
        #expect(ScaledSums.norm([Double.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == .infinity)
        #expect(ScaledSums.norm([.nan]).isNaN)
    }
}
