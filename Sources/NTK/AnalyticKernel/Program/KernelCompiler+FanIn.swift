import LinearAlgebra

// Layers that join branches. Branches are independent: their weights are their own, so that covariances add without cross terms.
extension KernelCompiler {
    private func inputs(_ flow: Flow, _ name: String, at path: String) throws(ArchitectureError) -> [Int] {
        guard case .branches(let flows) = flow else {
            throw ArchitectureError(path: path, detail: "branches expected before \(name); one value came: put fan_out and parallel before")
        }
        var inputs: [Int] = []
        for flow in flows { inputs.append(try single(flow, at: path)) }
        return inputs
    }

    private func requireEqualShapes(_ inputs: [Int], _ name: String, at path: String) throws(ArchitectureError) {
        let shapes = inputs.map { program.values[$0].spatial }
        guard shapes.allSatisfy({ $0 == shapes[0] }) else {
            throw ArchitectureError(path: path, detail: "branches of one shape expected before \(name); spatial extents \(shapes) came")
        }
        let widths = Set(inputs.compactMap { program.values[$0].width })
        guard widths.count <= 1 else {
            throw ArchitectureError(path: path, detail: "branches of one width expected before \(name); widths \(widths.sorted()) came")
        }
    }

    private func requireGaussian(_ inputs: [Int], _ name: String, at path: String) throws(ArchitectureError) {
        guard inputs.count > 1, let first = inputs.firstIndex(where: { !program.values[$0].isGaussian }) else { return }
        throw ArchitectureError(
            path: path,
            detail:
                "\(name) expects branches of mean zero, which end in a layer with random weights (dense, conv, attention); branch \(first) does not")
    }

    mutating func fanInSum(_ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let inputs = try inputs(flow, "fan_in_sum", at: path)
        try requireEqualShapes(inputs, "fan_in_sum", at: path)
        try requireGaussian(inputs, "fan_in_sum", at: path)
        var value = program.values[inputs[0]]
        value.width = inputs.compactMap { program.values[$0].width }.first
        return try append(.sum, inputs, value, at: path)
    }

    mutating func fanInProduct(_ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let inputs = try inputs(flow, "fan_in_prod", at: path)
        try requireEqualShapes(inputs, "fan_in_prod", at: path)
        var value = program.values[inputs[0]]
        value.width = inputs.compactMap { program.values[$0].width }.first
        value.isGaussian = value.isGaussian && inputs.count == 1
        return try append(.product, inputs, value, at: path)
    }

    mutating func fanInConcat(_ axis: Axis, _ flow: Flow, at path: String) throws(ArchitectureError) -> Flow {
        let inputs = try inputs(flow, "fan_in_concat", at: path)
        let values = inputs.map { program.values[$0] }
        let rank = values[0].spatial.count + 2
        guard let position = axis.resolved(rank: rank), position > 0 else {
            throw ArchitectureError(
                path: path + "/axis", detail: "\"channel\" or a spatial axis from 1 to \(rank - 2) expected: samples cannot be joined")
        }
        if position == rank - 1 { return try concatenateChannels(inputs, at: path) }
        let axis = position - 1
        try requireGaussian(inputs, "fan_in_concat along a spatial axis", at: path)
        var rests = values.map(\.spatial)
        for index in rests.indices where axis < rests[index].count { rests[index][axis] = 0 }
        guard rests.allSatisfy({ $0 == rests[0] }) else {
            throw ArchitectureError(
                path: path, detail: "branches that differ along axis \(position) only expected; spatial extents \(values.map(\.spatial)) came")
        }
        var value = values[0]
        value.spatial[axis] = values.lazy.map { $0.spatial[axis] }.clampedSum
        value.isGaussian = values.allSatisfy(\.isGaussian)
        return try append(.concatenate(spatialAxis: axis), inputs, value, at: path)
    }

    private mutating func concatenateChannels(_ inputs: [Int], at path: String) throws(ArchitectureError) -> Flow {
        let values = inputs.map { program.values[$0] }
        guard values.allSatisfy({ $0.spatial == values[0].spatial }) else {
            throw ArchitectureError(path: path, detail: "branches of one shape expected; spatial extents \(values.map(\.spatial)) came")
        }
        var widths: [Int] = []
        for (index, value) in values.enumerated() {
            // One unknown width among equals would be a guess.
            guard let width = value.width else {
                guard values.allSatisfy({ $0.width == nil }) else {
                    throw ArchitectureError(
                        path: path, detail: "widths of all branches or of none expected; branch \(index) has none: give its last linear layer a width"
                    )
                }
                widths.append(1)
                continue
            }
            widths.append(width)
        }
        let sum = try width(widths.clampedSum, at: path)
        var value = values[0]
        value.width = values[0].width == nil ? nil : sum
        value.isGaussian = false
        return try append(.concatenateChannels(widths.map { Double($0) / Double(sum) }), inputs, value, at: path)
    }
}
