import Architecture
import LinearAlgebra

/// Independent numbers from N(0, 1), each a function of its place alone: Philox on (seed; parameter, pair of elements, sample).
///
/// The same seed gives the same network, bit for bit, however many threads draw and in whatever order.
struct ParameterDraw: Sendable {
    let seed: UInt64
    /// Tells apart independent networks of one seed.
    let sample: UInt32

    /// The numbers 2·pair and 2·pair + 1 of a parameter.
    func pair(_ parameter: UInt32, _ pair: UInt64) -> (Double, Double) {
        Philox.normals(
            Philox(seed: seed)[UInt32(truncatingIfNeeded: pair), UInt32(truncatingIfNeeded: pair >> 32), parameter, sample])
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
