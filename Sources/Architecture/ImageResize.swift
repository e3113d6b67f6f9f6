package import Activations
import LinearAlgebra

/// Another number of positions by interpolation between them.
public struct ImageResize: Sendable, Equatable {
    public enum Method: String, Sendable, CaseIterable {
        case nearest, linear
    }

    /// The new shape, sample axis and channels too; -1 keeps an axis.
    public var shape: [Int]
    public var method: Method
    /// Where an axis shrinks, widens the interpolation so that every position counts.
    public var antialias: Bool

    public init(shape: [Int], method: Method, antialias: Bool = true) {
        self.shape = shape
        self.method = method
        self.antialias = antialias
    }
}

/// As `jax.image.resize`.
extension ImageResize: PositionMapRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, "image_resize", at: path)
        try compiler.requireNumbered(value.spatial, at: path)
        let rank = value.spatial.count + 2
        guard shape.count == rank else {
            throw ArchitectureError(
                path: path + "/shape", detail: "\(rank) extents expected, samples and channels too, -1 to keep one; \(shape.count) came")
        }
        for axis in [0, rank - 1] where shape[axis] != -1 && !(axis == rank - 1 && shape[axis] == value.width) {
            throw ArchitectureError(path: "\(path)/shape/\(axis)", detail: "-1 expected: samples and channels cannot be resized")
        }
        let old = value.spatial
        for axis in old.indices where shape[axis + 1] != -1 {
            guard shape[axis + 1] > 0 else {
                throw ArchitectureError(path: "\(path)/shape/\(axis + 1)", detail: "-1 or a positive extent expected; \(shape[axis + 1]) came")
            }
            value.spatial[axis] = shape[axis + 1]
        }
        try compiler.checkPositions(value, at: path)
        let new = value.spatial
        let map = try compiler.located(path) { [meter = compiler.meter] () throws(ArchitectureError) in
            var axes: [SparseRows] = []
            for (size, count) in zip(old, new) { axes.append(try SparseRows(interpolating: size, to: count, self, meter: meter)) }
            return try SpatialMap(axes: axes, meter: meter)
        }
        return try compiler.append(.map(map), [input], value, at: path)
    }
}
