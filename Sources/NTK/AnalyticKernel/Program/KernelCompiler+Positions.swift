import LinearAlgebra

// Layers without weights that combine positions.
extension KernelCompiler {
    mutating func pool(_ pool: Pool, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let name = pool.reduction.rawValue + "_pool"
        let input = try single(flow, at: path)
        try requireSpatial(input, name, at: path)
        try checkInput(input, at: path)
        let geometry = try geometry(
            program.values[input].spatial, pool.windowShape, pool.strides, pool.padding, name: "window_shape", at: path)
        var value = program.values[input]
        value.spatial = geometry.output
        try checkPositions(value, at: path)
        let map = try located(path) { [meter] () throws(ArchitectureError) in
            var axes: [SparseRows] = []
            for axis in geometry.axes { axes.append(try SparseRows(pool, axis, meter: meter)) }
            return try SpatialMap(axes: axes, windows: geometry, meter: meter)
        }
        return try append(.map(map), [input], value, at: path)
    }

    mutating func globalPool(_ reduction: Pool.Reduction, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        try requireSpatial(input, "global_\(reduction.rawValue)_pool", at: path)
        var value = program.values[input]
        value.spatial = []
        return try append(.globalPool(reduction), [input], value, at: path)
    }

    mutating func flatten(_ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        var value = program.values[input]
        if let channels = value.width { value.width = try width(channels.multipliedClamped(by: value.positions), at: path) }
        value.isGaussian = false
        value.spatial = []
        return try append(.flatten, [input], value, at: path)
    }

    mutating func aggregate(_ axes: [Int]?, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        try requireSpatial(input, "aggregate", at: path)
        let value = program.values[input]
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
        if let size = program.patternSize, size != nodes {
            throw ArchitectureError(path: path, detail: "graphs of \(size) nodes expected, as in an aggregate before; here there are \(nodes)")
        }
        return try append(.aggregate(spatialAxes: resolved), [input], value, at: path)
    }

    mutating func imageResize(_ resize: ImageResize, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        try requireSpatial(input, "image_resize", at: path)
        try checkInput(input, at: path)
        var value = program.values[input]
        let rank = value.spatial.count + 2
        guard resize.shape.count == rank else {
            throw ArchitectureError(
                path: path + "/shape", detail: "\(rank) extents expected, samples and channels too, -1 to keep one; \(resize.shape.count) came")
        }
        for axis in [0, rank - 1] where resize.shape[axis] != -1 && !(axis == rank - 1 && resize.shape[axis] == value.width) {
            throw ArchitectureError(path: "\(path)/shape/\(axis)", detail: "-1 expected: samples and channels cannot be resized")
        }
        let old = value.spatial
        for axis in old.indices where resize.shape[axis + 1] != -1 {
            guard resize.shape[axis + 1] > 0 else {
                throw ArchitectureError(path: "\(path)/shape/\(axis + 1)", detail: "-1 or a positive extent expected; \(resize.shape[axis + 1]) came")
            }
            value.spatial[axis] = resize.shape[axis + 1]
        }
        try checkPositions(value, at: path)
        let map = try located(path) { [meter] () throws(ArchitectureError) in
            var axes: [SparseRows] = []
            for (size, count) in zip(old, value.spatial) { axes.append(try SparseRows(interpolating: size, to: count, resize, meter: meter)) }
            return try SpatialMap(axes: axes, meter: meter)
        }
        return try append(.map(map), [input], value, at: path)
    }

    mutating func index(_ selections: [AxisSelection], _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let input = try single(flow, at: path)
        try checkInput(input, at: path)
        var value = program.values[input]
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
            try meter.take(SparseRows.bytes(rows: positions.count, entries: positions.count), at: path)
            try meter.step(positions.count, at: path)
            rows.append(SparseRows(input: size, positions: positions))
            if case .position = selection { continue }
            kept.append(positions.count)
        }
        value.spatial = kept
        let map = try located(path) { [meter] () throws(ArchitectureError) in try SpatialMap(axes: rows, meter: meter) }
        return try append(.map(map), [input], value, at: path)
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
