internal import Glibc

/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): 128 random bits, a function of a counter and a key alone,
/// so that the same numbers come in whatever order and on however many threads they are asked for.
public struct Philox: Sendable {
    @usableFromInline let key: (UInt32, UInt32)

    public init(seed: UInt64) { key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)) }

    /// The bits of one counter.
    @inlinable
    public subscript(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> (UInt32, UInt32, UInt32, UInt32) {
        var (a, b, c, d) = (a, b, c, d)
        var key = key
        for _ in 0..<10 {
            let (first, second) = (UInt64(a) * 0xD251_1F53, UInt64(c) * 0xCD9E_8D57)
            (a, b, c, d) = (
                UInt32(second >> 32) ^ b ^ key.0, UInt32(truncatingIfNeeded: second), UInt32(first >> 32) ^ d ^ key.1,
                UInt32(truncatingIfNeeded: first)
            )
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return (a, b, c, d)
    }

    /// Two independent numbers from N(0, 1) of 128 random bits, by the Box–Muller transform.
    public static func normals(_ words: (UInt32, UInt32, UInt32, UInt32)) -> (Double, Double) {
        // 53 bits each: the first in (0, 1], so that its logarithm is finite, the second in [0, 1).
        let first = Double((UInt64(words.0) << 32 | UInt64(words.1)) >> 11 + 1) * 0x1p-53
        let second = Double((UInt64(words.2) << 32 | UInt64(words.3)) >> 11) * 0x1p-53
        let radius = (-2 * log(first)).squareRoot()
        return (radius * cos(2 * .pi * second), radius * sin(2 * .pi * second))
    }
}
