package import Activations
import LinearAlgebra

/// x ← Aᵀ x along spatial axes, with the adjacency matrix A that comes with each point: K ← Aᵀ K A', Θ ← Aᵀ Θ A'.
package struct Aggregate: LayerRule {
    /// nil: all spatial axes, as one.
    package let axes: [Int]?

    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, "aggregate", at: path)
        let rank = value.spatial.count + 2
        var resolved: [Int] = []
        for (index, axis) in (axes ?? Array(1..<rank - 1)).enumerated() {
            guard let axis = Axis.index(axis).resolved(rank: rank), axis > 0, axis < rank - 1, !resolved.contains(axis - 1) else {
                throw ArchitectureError(path: "\(path)/axes/\(index)", detail: "a spatial axis from 1 to \(rank - 2), each once, expected")
            }
            resolved.append(axis - 1)
        }
        guard !resolved.isEmpty else { throw ArchitectureError(path: path + "/axes", detail: "one or more spatial axes expected") }
        let nodes = resolved.lazy.map { value.spatial[$0] }.clampedProduct
        if let size = compiler.program.patternSize, size != nodes {
            throw ArchitectureError(path: path, detail: "graphs of \(size) nodes expected, as in an aggregate before; here there are \(nodes)")
        }
        return try compiler.append(.aggregate(spatialAxes: resolved), [input], value, at: path)
    }

    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        let kernel = try kernel(of: value, at: place.pointer, meter: compiler.meter)
        guard case .aggregate(let axes) = kernel.instructions.first?.operation, let size = kernel.patternSize else {
            preconditionFailure("the layer aggregates")
        }
        if let other = compiler.program.patternSize, other != size {
            throw ArchitectureError(
                path: place.pointer, detail: "graphs of \(other) nodes expected, as in an aggregate before; here there are \(size)")
        }
        try compiler.checkTable(value.positions, of: "positions", at: place)
        compiler.program.patternSize = size
        // While they are sorted they take some times as much.
        try compiler.meter.take(value.positions.multipliedClamped(by: 128), at: place.pointer)
        try compiler.meter.step(value.positions.multipliedClamped(by: 8), at: place.pointer)
        // Positions that agree on the other axes make a group; the nodes of a group are in the order of the axes.
        var groups: [[Int]: [(node: Int, position: Int)]] = [:]
        var position = 0
        forEachIndex(value.spatial) { index in
            let others = index.indices.filter { !axes.contains($0) }.map { index[$0] }
            let node = axes.reduce(0) { $0 * value.spatial[$1] + index[$1] }
            groups[others, default: []].append((node, position))
            position += 1
        }
        let sorted = groups.values.map { group in group.sorted { $0.node < $1.node }.map(\.position) }
        return try compiler.append(.aggregate(groups: sorted.sorted { $0[0] < $1[0] }), [input], value, at: place)
    }
}
