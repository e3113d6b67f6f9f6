import LinearAlgebra

// Layers that combine positions, and those that join branches.
extension NetworkCompiler {
    /// Layers whose work is a constant map of positions, as the analytic kernel's compiler reads them.
    mutating func map(_ layer: Layer, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        var compiler = KernelCompiler(
            program: KernelProgram(values: [.init(spatial: value.spatial, width: value.channels, isGaussian: true)]), meter: meter)
        _ = try compiler.add(layer, .value(0), at: place.pointer)
        guard case .map(let map) = compiler.program.instructions.first?.operation else {
            preconditionFailure("the layer maps positions")
        }
        let output = NetworkProgram.Value(spatial: compiler.program.values[1].spatial, channels: value.channels)
        return try append(.map(map), [input], output, at: place)
    }

    mutating func globalPool(_ reduction: Pool.Reduction, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        try requireSpatial(input, "global_\(reduction.rawValue)_pool", at: place)
        let value = program.values[input]
        guard value.positions <= Self.maximumTable else {
            throw ArchitectureError(path: place.pointer, detail: "at most \(Self.maximumTable) positions expected; here are \(value.positions)")
        }
        let weight = reduction == .average ? 1 / Double(value.positions) : 1
        try meter.take(SparseRows.bytes(rows: 1, entries: value.positions), at: place.pointer)
        try meter.step(value.positions, at: place.pointer)
        var row = SparseRows(input: value.positions)
        for position in 0..<value.positions { row.append(position: position, weight: weight) }
        row.endRow()
        return try append(.map(SpatialMap(row)), [input], .init(spatial: [], channels: value.channels), at: place)
    }

    mutating func flatten(_ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        let output = NetworkProgram.Value(spatial: [], channels: value.size)
        return try append(isChannelsFirst && value.positions > 1 ? .transpose : .reshape, [input], output, at: place)
    }

    mutating func aggregate(_ layer: Layer, _ input: Int, at place: Place) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        var compiler = KernelCompiler(
            program: KernelProgram(values: [.init(spatial: value.spatial, width: value.channels, isGaussian: true)]), meter: meter)
        _ = try compiler.add(layer, .value(0), at: place.pointer)
        guard case .aggregate(let axes) = compiler.program.instructions.first?.operation, let size = compiler.program.patternSize else {
            preconditionFailure("the layer aggregates")
        }
        if let other = program.patternSize, other != size {
            throw ArchitectureError(
                path: place.pointer, detail: "graphs of \(other) nodes expected, as in an aggregate before; here there are \(size)")
        }
        guard value.positions <= Self.maximumTable else {
            throw ArchitectureError(path: place.pointer, detail: "at most \(Self.maximumTable) positions expected; here are \(value.positions)")
        }
        program.patternSize = size
        // While they are sorted they take some times as much.
        try meter.take(value.positions.multipliedClamped(by: 128), at: place.pointer)
        try meter.step(value.positions.multipliedClamped(by: 8), at: place.pointer)
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
        return try append(.aggregate(groups: sorted.sorted { $0[0] < $1[0] }), [input], value, at: place)
    }

    private func inputs(_ flow: Flow, _ name: String, at place: Place) throws(ArchitectureError) -> [Int] {
        guard case .branches(let flows) = flow else {
            throw ArchitectureError(path: place.pointer, detail: "branches expected before \(name); one value came: put fan_out and parallel before")
        }
        var inputs: [Int] = []
        for flow in flows { inputs.append(try single(flow, at: place)) }
        return inputs
    }

    mutating func fanInSum(_ flow: Flow, at place: Place) throws(ArchitectureError) -> Flow {
        try joinEqual(flow, .sum, "fan_in_sum", at: place)
    }

    mutating func fanInProduct(_ flow: Flow, at place: Place) throws(ArchitectureError) -> Flow {
        try joinEqual(flow, .product, "fan_in_prod", at: place)
    }

    private mutating func joinEqual(
        _ flow: Flow, _ operation: NetworkProgram.Operation, _ name: String, at place: Place
    ) throws(ArchitectureError) -> Flow {
        let inputs = try inputs(flow, name, at: place)
        let values = inputs.map { program.values[$0] }
        guard values.allSatisfy({ $0 == values[0] }) else {
            let shapes = values.map { $0.spatial + [$0.channels] }
            throw ArchitectureError(path: place.pointer, detail: "branches of one shape expected before \(name); shapes \(shapes) came")
        }
        return .value(try append(operation, inputs, values[0], at: place))
    }

    mutating func fanInConcat(_ axis: Axis, _ flow: Flow, at place: Place) throws(ArchitectureError) -> Flow {
        let inputs = try inputs(flow, "fan_in_concat", at: place)
        let shapes = inputs.map { program.values[$0].spatial + [program.values[$0].channels] }
        let rank = shapes[0].count + 1
        guard let position = axis.resolved(rank: rank), position > 0 else {
            throw ArchitectureError(
                path: place.pointer + "/axis", detail: "\"channel\" or a spatial axis from 1 to \(rank - 2) expected: samples cannot be joined")
        }
        let joined = position - 1
        let fits = shapes.allSatisfy { shape in
            shape.count == shapes[0].count && shape.indices.allSatisfy { $0 == joined || shape[$0] == shapes[0][$0] }
        }
        guard fits else {
            throw ArchitectureError(
                path: place.pointer, detail: "branches that differ along axis \(position) only expected; shapes \(shapes) came")
        }
        var shape = shapes[0]
        shape[joined] = shapes.lazy.map { $0[joined] }.clampedSum
        let inner = shape[(joined + 1)...].clampedProduct
        let output = NetworkProgram.Value(spatial: Array(shape.dropLast()), channels: shape[shape.count - 1])
        return .value(
            try append(
                .concatenate(outer: shape[..<joined].clampedProduct, lengths: shapes.map { $0[joined].multipliedClamped(by: inner) }), inputs, output,
                at: place))
    }
}
