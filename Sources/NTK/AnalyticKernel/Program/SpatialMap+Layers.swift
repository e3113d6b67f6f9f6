import Glibc

extension SpatialMap {
    /// The product of one map an axis; `axes[a][o]` lists the inputs of output o along axis a.
    init(axes: [[[Entry]]], input: [Int]) {
        var rows: [[Entry]] = [[Entry(position: 0, weight: 1)]]
        for (axis, own) in axes.enumerated() {
            var next: [[Entry]] = []
            next.reserveCapacity(rows.count * own.count)
            for row in rows {
                for entries in own {
                    next.append(
                        row.flatMap { outer in
                            entries.map { Entry(position: outer.position * input[axis] + $0.position, weight: outer.weight * $0.weight) }
                        })
                }
            }
            rows = next
        }
        self.init(input: input.reduce(1, *), rows: rows)
    }

    init(_ pool: Pool, _ geometry: WindowGeometry) {
        let axes = geometry.axes.map { axis in
            (0..<axis.output).map { position in
                let sources = (0..<axis.window).compactMap { axis.source(position, $0) }
                let count = pool.normalizesEdges ? sources.count : axis.window
                let weight = pool.reduction == .average ? 1 / Double(count) : 1
                return sources.map { Entry(position: $0, weight: weight) }
            }
        }
        let input = geometry.axes.map(\.input)
        self.init(axes: axes, input: input)
        centers = geometry.centers
    }

    /// The weights of `jax.image.resize` along one axis.
    static func interpolation(from size: Int, to count: Int, _ resize: ImageResize) -> [[Entry]] {
        guard size != count else { return (0..<size).map { [Entry(position: $0, weight: 1)] } }
        let ratio = Double(size) / Double(count)
        switch resize.method {
        case .nearest:
            return (0..<count).map { [Entry(position: min(Int(((Double($0) + 0.5) * ratio).rounded(.down)), size - 1), weight: 1)] }
        case .linear:
            let scale = resize.antialias ? max(ratio, 1) : 1
            return (0..<count).map { position in
                let sample = (Double(position) + 0.5) * ratio - 0.5
                let entries = (0..<size).compactMap { source -> Entry? in
                    let weight = max(0, 1 - abs(sample - Double(source)) / scale)
                    return weight > 0 ? Entry(position: source, weight: weight) : nil
                }
                let total = entries.reduce(0) { $0 + $1.weight }
                guard total > 0, sample >= -0.5, sample <= Double(size) - 0.5 else { return [] }
                return entries.map { Entry(position: $0.position, weight: $0.weight / total) }
            }
        }
    }
}
