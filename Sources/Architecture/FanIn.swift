package import Activations
import LinearAlgebra

/// The sum of the branches: K ← Σ K_b, Θ ← Σ Θ_b.
package struct FanInSum: JoiningRule {
    package var name: String { "fan_in_sum" }

    package func compile(_ inputs: [Int], into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        try compiler.requireEqualShapes(inputs, name, at: path)
        try compiler.requireGaussian(inputs, name, at: path)
        var value = compiler.program.values[inputs[0]]
        value.width = inputs.compactMap { compiler.program.values[$0].width }.first
        return try compiler.append(.sum, inputs, value, at: path)
    }

    package func compile(_ inputs: [Int], into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try compiler.joinEqual(inputs, .sum, name, at: place)
    }
}

/// The elementwise product of the branches: K ← Π K_b, Θ ← Σ_b Θ_b Π_{c≠b} K_c.
package struct FanInProduct: JoiningRule {
    package var name: String { "fan_in_prod" }

    package func compile(_ inputs: [Int], into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        try compiler.requireEqualShapes(inputs, name, at: path)
        var value = compiler.program.values[inputs[0]]
        value.width = inputs.compactMap { compiler.program.values[$0].width }.first
        value.isGaussian = value.isGaussian && inputs.count == 1
        return try compiler.append(.product, inputs, value, at: path)
    }

    package func compile(_ inputs: [Int], into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try compiler.joinEqual(inputs, .product, name, at: place)
    }
}

extension KernelCompiler {
    fileprivate func requireEqualShapes(_ inputs: [Int], _ name: String, at path: String) throws(ArchitectureError) {
        let shapes = inputs.map { program.values[$0].spatial }
        guard shapes.allSatisfy({ $0 == shapes[0] }) else {
            throw ArchitectureError(path: path, detail: "branches of one shape expected before \(name); spatial extents \(shapes) came")
        }
        let widths = Set(inputs.compactMap { program.values[$0].width })
        guard widths.count <= 1 else {
            throw ArchitectureError(path: path, detail: "branches of one width expected before \(name); widths \(widths.sorted()) came")
        }
    }

    package func requireGaussian(_ inputs: [Int], _ name: String, at path: String) throws(ArchitectureError) {
        guard inputs.count > 1, let first = inputs.firstIndex(where: { !program.values[$0].isGaussian }) else { return }
        throw ArchitectureError(
            path: path,
            detail:
                "\(name) expects branches of mean zero, which end in a layer with random weights (dense, conv, attention); branch \(first) does not")
    }
}

extension NetworkCompiler {
    fileprivate mutating func joinEqual(
        _ inputs: [Int], _ operation: LayerProgram.Operation, _ name: String, at place: LayerPlace
    ) throws(ArchitectureError) -> Int {
        let values = inputs.map { program.values[$0] }
        guard values.allSatisfy({ $0 == values[0] }) else {
            let shapes = values.map { $0.spatial + [$0.channels] }
            throw ArchitectureError(path: place.pointer, detail: "branches of one shape expected before \(name); shapes \(shapes) came")
        }
        return try append(operation, inputs, values[0], at: place)
    }
}
