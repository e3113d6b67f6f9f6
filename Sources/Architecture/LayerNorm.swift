package import Activations
import LinearAlgebra

/// Divides by the root mean square over some axes, the channels among them, after subtracting the mean over the channels.
///
/// In the limit of infinite width the mean is 0 and the mean square is the variance.
public struct LayerNorm: Sendable, Equatable {
    public var axes: [Axis]
    /// Added to the mean square.
    public var epsilon: Double

    public init(axes: [Axis] = [.channel], epsilon: Double = 1e-12) {
        self.axes = axes
        self.epsilon = epsilon
    }
}

/// K[p, q] ← K[p, q] / √((v_p + ε)(v_q + ε)) with the mean v of the variances over the axes.
extension LayerNorm: LayerRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        guard value.isGaussian else {
            throw ArchitectureError(path: path, detail: "layer_norm must follow a layer with random weights (dense, conv, attention)")
        }
        try Self.check(epsilon, at: path)
        var resolved = try resolvedAxes(spatial: value.spatial.count, at: path)
        guard resolved.remove(value.spatial.count) != nil else {
            throw ArchitectureError(path: path + "/axes", detail: "axes with \"channel\" among them expected: only then is there a limit")
        }
        return try compiler.append(.layerNorm(spatialAxes: resolved.sorted(), epsilon: epsilon), [input], value, at: path)
    }

    /// (x − mean)/√(variance + ε) over the axes, then γ x + β where `.weight` or `.bias` came.
    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try Self.check(epsilon, at: place.pointer)
        let value = compiler.program.values[input]
        let axes = try resolvedAxes(spatial: value.spatial.count, at: place.pointer)
        let shape = value.spatial + [value.channels]
        // The normalized axes in the order of the data format: that of the parameters.
        let ordered = (compiler.isChannelsFirst ? [shape.count - 1] + Array(0..<shape.count - 1) : Array(shape.indices)).filter { axes.contains($0) }
        let others = shape.indices.filter { !axes.contains($0) }
        return try compiler.normalize(
            input, epsilon: epsilon, groupCount: others.reduce(1) { $0 * shape[$1] }, parameters: ordered.map { shape[$0] },
            group: { index in others.reduce(0) { $0 * shape[$1] + index[$1] } },
            parameter: { index in ordered.reduce(0) { $0 * shape[$1] + index[$1] } }, at: place)
    }

    package static func check(_ epsilon: Double, at path: String) throws(ArchitectureError) {
        guard epsilon >= 0, epsilon.isFinite else {
            throw ArchitectureError(path: path + "/eps", detail: "a number that is not negative expected; \(epsilon) came")
        }
    }

    /// The axes of a point, the channels behind its spatial ones.
    private func resolvedAxes(spatial: Int, at path: String) throws(ArchitectureError) -> Set<Int> {
        var result: Set<Int> = []
        for (index, axis) in axes.enumerated() {
            guard let axis = axis.resolved(rank: spatial + 2), axis > 0 else {
                throw ArchitectureError(path: "\(path)/axes/\(index)", detail: "\"channel\" or a spatial axis from 1 to \(spatial) expected")
            }
            result.insert(axis - 1)
        }
        return result
    }
}

extension NetworkCompiler {
    /// (x − mean)/√(variance + ε) over groups of elements, then γ x + β where `.weight` or `.bias` came.
    /// - Parameters:
    ///   - parameters: the shape of γ and β.
    ///   - group: the group of the element with this index [spatial…, channel].
    ///   - parameter: the place in γ and β of that element.
    package mutating func normalize(
        _ input: Int, epsilon: Double, groupCount: Int, parameters shape: [Int], group: ([Int]) -> Int, parameter: ([Int]) -> Int,
        at place: LayerPlace
    ) throws(ArchitectureError) -> Int {
        let value = program.values[input]
        try checkTable(value.size, of: "numbers a point", at: place)
        try meter.take(value.size * 8, at: place.pointer)
        try meter.step(value.size.multipliedClamped(by: 4), at: place.pointer)
        var groups: [Int32] = []
        var places: [Int32] = []
        forEachIndex(value.spatial + [value.channels]) { index in
            groups.append(Int32(group(index)))
            places.append(Int32(parameter(index)))
        }
        var output = try append(.normalize(groups: groups, groupCount: groupCount, epsilon: epsilon), [input], value, at: place)
        let parameters = ["weight", "bias"].map { kind -> Int? in
            let name = place.parameter(kind)
            return given?[name] == nil ? nil : self.parameter(name, shape, std: 0)
        }
        if parameters[0] != nil || parameters[1] != nil {
            output = try append(.scale(weight: parameters[0], bias: parameters[1], places: places), [output], value, at: place)
        }
        return output
    }
}
