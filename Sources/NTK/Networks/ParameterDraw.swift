internal import Glibc
import LinearAlgebra

/// Independent numbers from N(0, 1), each a function of its place alone: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
/// easy as 1, 2, 3") on (seed; parameter, pair of elements, sample) and the Box–Muller transform.
///
/// The same seed gives the same network, bit for bit, however many threads draw and in whatever order.
struct ParameterDraw: Sendable {
    let seed: UInt64
    /// Tells apart independent networks of one seed.
    let sample: UInt32

    /// The numbers 2·pair and 2·pair + 1 of a parameter.
    func pair(_ parameter: UInt32, _ pair: UInt64) -> (Double, Double) {
        let words = philox(UInt32(truncatingIfNeeded: pair), UInt32(truncatingIfNeeded: pair >> 32), parameter, sample)
        // 53 bits each: the first in (0, 1], so that its logarithm is finite, the second in [0, 1).
        let first = Double((UInt64(words.0) << 32 | UInt64(words.1)) >> 11 + 1) * 0x1p-53
        let second = Double((UInt64(words.2) << 32 | UInt64(words.3)) >> 11) * 0x1p-53
        let radius = (-2 * log(first)).squareRoot()
        return (radius * cos(2 * .pi * second), radius * sin(2 * .pi * second))
    }

    private func philox(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> (UInt32, UInt32, UInt32, UInt32) {
        var (a, b, c, d) = (a, b, c, d)
        var key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
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

    /// Fills each parameter with numbers of its standard deviation.
    func parameters(_ parameters: [NetworkParameter], on executor: any TileExecutor) throws -> NetworkParameters {
        let values = parameters.map { Storage<Double>(count: $0.count) }
        var tiles: [(parameter: Int, pairs: Range<Int>)] = []
        for (index, parameter) in parameters.enumerated() {
            let pairs = (parameter.count + 1) / 2
            for start in stride(from: 0, to: pairs, by: 1 << 14) { tiles.append((index, start..<min(start + 1 << 14, pairs))) }
        }
        let all = tiles
        try executor.forEach(all.count) { index in
            let tile = all[index]
            let (count, std) = (values[tile.parameter].count, parameters[tile.parameter].standardDeviation)
            let target = unsafe values[tile.parameter].base
            for pair in tile.pairs {
                let (first, second) = self.pair(UInt32(truncatingIfNeeded: tile.parameter), UInt64(pair))
                unsafe target[2 * pair] = std * first
                if 2 * pair + 1 < count { unsafe target[2 * pair + 1] = std * second }
            }
        }
        return NetworkParameters(values: values)
    }
}
