package import Activations
import Glibc
import LinearAlgebra

extension SparseRows {
    /// A pool along one axis. Around a ring a window wider than the axis meets positions more than once.
    package init(_ pool: Pool, _ axis: WindowAxis, meter: CompilationMeter) throws(ArchitectureError) {
        self.init(input: axis.input)
        // What a window finds beyond an edge is left out, but counted.
        let trimmed = axis.trimmed
        let rounds = axis.wraps && axis.window > axis.input ? axis.window / axis.input : 0
        let taps = rounds > 0 ? axis.window % axis.input : trimmed.window
        try meter.take(
            Self.bytes(rows: axis.output, entries: axis.output.multipliedClamped(by: min(rounds > 0 ? axis.input : taps, axis.input))), at: "")
        for position in 0..<axis.output {
            try meter.step(taps + (rounds > 0 ? axis.input : 1))
            if rounds > 0 {
                var counts = [Int](repeating: rounds, count: axis.input)
                for tap in 0..<taps { if let source = axis.source(position, tap) { counts[source] += 1 } }
                for (source, count) in counts.enumerated() {
                    append(position: source, weight: pool.reduction == .average ? Double(count) / Double(axis.window) : Double(count))
                }
            } else {
                let first = positions.count
                for tap in 0..<taps { if let source = trimmed.source(position, tap) { append(position: source, weight: 1) } }
                let count = pool.normalizesEdges ? positions.count - first : axis.window
                if pool.reduction == .average { setWeights(from: first, 1 / Double(count)) }
            }
            endRow()
        }
    }

    /// The weights of `jax.image.resize` along one axis.
    package init(interpolating size: Int, to count: Int, _ resize: ImageResize, meter: CompilationMeter) throws(ArchitectureError) {
        let ratio = Double(size) / Double(count)
        // Positions on either side of a sample.
        let scale = resize.antialias ? max(ratio, 1) : 1
        let reach = resize.method == .linear && size != count ? Int(scale.rounded(.up)) : 0
        try meter.take(Self.bytes(rows: count, entries: count.multipliedClamped(by: min(2 * reach + 1, size))), at: "")
        self.init(input: size)
        for position in 0..<count {
            try meter.step(2 * reach + 1)
            defer { endRow() }
            guard size != count else {
                append(position: position, weight: 1)
                continue
            }
            switch resize.method {
            case .nearest:
                append(position: min(Int(((Double(position) + 0.5) * ratio).rounded(.down)), size - 1), weight: 1)
            case .linear:
                let sample = (Double(position) + 0.5) * ratio - 0.5
                guard sample >= -0.5, sample <= Double(size) - 0.5 else { continue }
                let middle = Int(sample.rounded())
                let first = positions.count
                var total = 0.0
                for source in max(middle - reach - 1, 0)...max(min(middle + reach + 1, size - 1), 0) {
                    let weight = max(0, 1 - abs(sample - Double(source)) / scale)
                    guard weight > 0 else { continue }
                    append(position: source, weight: weight)
                    total += weight
                }
                divideWeights(from: first, by: total)
            }
        }
    }
}
