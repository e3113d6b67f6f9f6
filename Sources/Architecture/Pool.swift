package import Activations
import LinearAlgebra

/// Mean or sum over windows of positions.
public struct Pool: Sendable, Equatable {
    public enum Reduction: String, Sendable, CaseIterable {
        case average = "avg"
        case sum
    }

    public var reduction: Reduction
    public var windowShape: [Int]
    /// nil: 1 along every axis.
    public var strides: [Int]?
    public var padding: Padding
    /// With padding `same`: divide by the number of positions inside, not by the whole window's.
    public var normalizesEdges: Bool

    public init(
        reduction: Reduction = .average, windowShape: [Int], strides: [Int]? = nil, padding: Padding = .valid, normalizesEdges: Bool = false
    ) {
        self.reduction = reduction
        self.windowShape = windowShape
        self.strides = strides
        self.padding = padding
        self.normalizesEdges = normalizesEdges
    }
}

/// K ← A K Aᵀ with the windows' weights A; a window at the edge counts what it finds.
extension Pool: PositionMapRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, reduction.rawValue + "_pool", at: path)
        try compiler.requireNumbered(value.spatial, at: path)
        let old = value.spatial
        let geometry = try compiler.located(path) { () throws(ArchitectureError) in
            try WindowGeometry(input: old, window: windowShape, strides: strides, padding: padding, name: "window_shape")
        }
        value.spatial = geometry.output
        try compiler.checkPositions(value, at: path)
        let map = try compiler.located(path) { [meter = compiler.meter] () throws(ArchitectureError) in
            var axes: [SparseRows] = []
            for axis in geometry.axes { axes.append(try SparseRows(self, axis, meter: meter)) }
            return try SpatialMap(axes: axes, windows: geometry, meter: meter)
        }
        return try compiler.append(.map(map), [input], value, at: path)
    }
}

/// Mean or sum over all positions: K ← Σ_pq K[p, q], divided by the number of pairs for the mean.
package struct GlobalPool: LayerRule {
    package let reduction: Pool.Reduction

    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, "global_\(reduction.rawValue)_pool", at: path)
        value.spatial = []
        return try compiler.append(.globalPool(reduction), [input], value, at: path)
    }

    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, "global_\(reduction.rawValue)_pool", at: place.pointer)
        try compiler.checkTable(value.positions, of: "positions", at: place)
        let weight = reduction == .average ? 1 / Double(value.positions) : 1
        try compiler.meter.take(SparseRows.bytes(rows: 1, entries: value.positions), at: place.pointer)
        try compiler.meter.step(value.positions, at: place.pointer)
        var row = SparseRows(input: value.positions)
        for position in 0..<value.positions { row.append(position: position, weight: weight) }
        row.endRow()
        return try compiler.append(.map(SpatialMap(row)), [input], .init(spatial: [], channels: value.channels), at: place)
    }
}

/// All positions and channels as one axis of channels: K ← the mean over positions p of K[p, p].
package struct Flatten: LayerRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        if let channels = value.width { value.width = try compiler.width(channels.multipliedClamped(by: value.positions), at: path) }
        value.isGaussian = false
        value.spatial = []
        return try compiler.append(.flatten, [input], value, at: path)
    }

    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        let isTransposed = compiler.isChannelsFirst && value.positions > 1
        return try compiler.append(isTransposed ? .transpose : .reshape, [input], .init(spatial: [], channels: value.size), at: place)
    }
}
