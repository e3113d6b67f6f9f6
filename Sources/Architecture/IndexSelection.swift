package import Activations
import LinearAlgebra

/// What `index` takes of one axis.
public enum AxisSelection: Sendable, Equatable {
    case all
    /// One position; the axis goes.
    case position(Int)
    /// start..<stop by step, with Python's meaning of negative and missing bounds.
    case slice(start: Int?, stop: Int?, step: Int)
}

/// Picks positions, one entry an axis, sample axis first; missing entries take all.
package struct IndexSelection: PositionMapRule {
    package let selections: [AxisSelection]

    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireNumbered(value.spatial, at: path)
        let old = value.spatial
        guard selections.count <= old.count + 2 else {
            throw ArchitectureError(path: path + "/idx", detail: "at most \(old.count + 2) entries expected, one an axis; \(selections.count) came")
        }
        var rows: [SparseRows] = []
        var kept: [Int] = []
        for axis in 0..<old.count + 2 {
            let selection = axis < selections.count ? selections[axis] : .all
            if axis == 0 || axis == old.count + 1 {
                guard selection == .all || selection == .slice(start: nil, stop: nil, step: 1) else {
                    throw ArchitectureError(path: "\(path)/idx/\(axis)", detail: "null expected: samples and channels cannot be picked")
                }
                continue
            }
            let size = old[axis - 1]
            let positions: [Int]
            switch selection {
            case .all: positions = Array(0..<size)
            case .position(let position):
                guard position >= -size, position < size else {
                    throw ArchitectureError(path: "\(path)/idx/\(axis)", detail: "a position from \(-size) to \(size - 1) expected; \(position) came")
                }
                positions = [position < 0 ? position + size : position]
            case .slice(let start, let stop, let step):
                positions = Self.slice(size, start, stop, step)
            }
            guard !positions.isEmpty else {
                throw ArchitectureError(path: "\(path)/idx/\(axis)", detail: "one or more positions expected; none is left")
            }
            try compiler.meter.take(SparseRows.bytes(rows: positions.count, entries: positions.count), at: path)
            try compiler.meter.step(positions.count, at: path)
            rows.append(SparseRows(input: size, positions: positions))
            if case .position = selection { continue }
            kept.append(positions.count)
        }
        value.spatial = kept
        let map = try compiler.located(path) { [meter = compiler.meter, rows] () throws(ArchitectureError) in
            try SpatialMap(axes: rows, meter: meter)
        }
        return try compiler.append(.map(map), [input], value, at: path)
    }

    /// Python's `range(size)[start:stop:step]`.
    private static func slice(_ size: Int, _ start: Int?, _ stop: Int?, _ step: Int) -> [Int] {
        func bound(_ value: Int?, _ standard: Int) -> Int {
            guard let value else { return standard }
            // A bound may be the least integer, or the largest.
            let place = value < 0 ? value + size : value
            return step > 0 ? min(max(place, 0), size) : min(max(place, -1), size - 1)
        }
        let first = bound(start, step > 0 ? 0 : size - 1)
        let last = bound(stop, step > 0 ? size : -1)
        return Array(stride(from: first, to: last, by: step))
    }
}
