import TensorFormats
import TestSupport
import Testing

struct JSONCountsTests {
    /// Of every length around those of vectors and of blocks of them, and of bytes that differ from those counted by a bit.
    @Test func countsAreThose() {
        var generator = SeededGenerator()
        let octets = Array(",[{\"|;\u{2}{[".utf8) + [0, 0xAC, 0xDB, 0xFB, 0xA2]
        for length in [0, 1, 31, 32, 33, 95, 8_159, 8_160, 8_161, 8_192, 20_000] {
            let text = (0..<length).map { _ in octets.randomElement(using: &generator) ?? 0 }
            let counts = JSONValue.counts(text[...])
            func count(_ characters: String) -> Int { text.count { characters.utf8.contains($0) } }
            #expect(counts == (count(","), count("[{"), count("\"")), "seed \(generator.seed), length \(length)")
        }
        let commas = [UInt8](repeating: UInt8(ascii: ","), count: 100_000)
        #expect(JSONValue.counts(commas[1...]) == (99_999, 0, 0))
    }
}
