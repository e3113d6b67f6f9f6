import LinearAlgebra

/// A generator whose numbers depend on its seed only, so that a failure can be repeated: tests print the seed.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var generator: SplitMix64

    package init(seed: UInt64 = .random(in: 0 ... .max)) {
        self.seed = seed
        generator = SplitMix64(seed: seed)
    }

    package mutating func next() -> UInt64 { generator.next() }
}
