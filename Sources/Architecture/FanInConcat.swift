package import Activations
import LinearAlgebra

/// The branches side by side along an axis: along the channels K ← Σ w_b K_b with the shares w of the channels, along a spatial axis the
/// positions of the one behind those of the other.
package struct FanInConcat: JoiningRule {
    package let axis: Axis

    package var name: String { "fan_in_concat" }

    package func compile(_ inputs: [Int], into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        let values = inputs.map { compiler.program.values[$0] }
        let rank = values[0].spatial.count + 2
        guard let position = axis.resolved(rank: rank), position > 0 else {
            throw ArchitectureError(
                path: path + "/axis", detail: "\"channel\" or a spatial axis from 1 to \(rank - 2) expected: samples cannot be joined")
        }
        if position == rank - 1 { return try concatenateChannels(inputs, into: &compiler, at: path) }
        let axis = position - 1
        try compiler.requireGaussian(inputs, "fan_in_concat along a spatial axis", at: path)
        var rests = values.map(\.spatial)
        for index in rests.indices where axis < rests[index].count { rests[index][axis] = 0 }
        guard rests.allSatisfy({ $0 == rests[0] }) else {
            throw ArchitectureError(
                path: path, detail: "branches that differ along axis \(position) only expected; spatial extents \(values.map(\.spatial)) came")
        }
        var value = values[0]
        value.spatial[axis] = values.lazy.map { $0.spatial[axis] }.clampedSum
        value.isGaussian = values.allSatisfy(\.isGaussian)
        return try compiler.append(.concatenate(spatialAxis: axis), inputs, value, at: path)
    }

    private func concatenateChannels(
        _ inputs: [Int], into compiler: inout KernelCompiler, at path: String
    ) throws(ArchitectureError) -> Int {
        let values = inputs.map { compiler.program.values[$0] }
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
        let sum = try compiler.width(widths.clampedSum, at: path)
        var value = values[0]
        value.width = values[0].width == nil ? nil : sum
        value.isGaussian = false
        return try compiler.append(.concatenateChannels(widths.map { Double($0) / Double(sum) }), inputs, value, at: path)
    }

    package func compile(_ inputs: [Int], into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let shapes = inputs.map { compiler.program.values[$0].spatial + [compiler.program.values[$0].channels] }
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
        let output = LayerProgram.Value(spatial: Array(shape.dropLast()), channels: shape[shape.count - 1])
        return try compiler.append(
            .concatenate(outer: shape[..<joined].clampedProduct, lengths: shapes.map { $0[joined].multipliedClamped(by: inner) }), inputs, output,
            at: place)
    }
}
