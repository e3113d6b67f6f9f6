package import Activations
import LinearAlgebra

/// Divides the channels into groups, and each group's elements at all positions by their standard deviation, after subtracting their mean
/// (Wu & He 2018, arXiv 1803.08494): z = γ_c (x − mean_g) / √(variance_g + ε) + β_c.
///
/// In the limit of infinite width every group holds infinitely many channels, whose mean square is their variance: groups do not show, and
/// the layer is a layer norm over the channels and all positions.
public struct GroupNorm: Sendable, Equatable {
    public var groups: Int
    /// Added to the variance.
    public var epsilon: Double

    public init(groups: Int, epsilon: Double = 1e-5) {
        self.groups = groups
        self.epsilon = epsilon
    }
}

extension GroupNorm: LayerRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        guard value.isGaussian else {
            throw ArchitectureError(path: path, detail: "group_norm must follow a layer with random weights (dense, conv, attention)")
        }
        try LayerNorm.check(epsilon, at: path)
        try check(channels: value.width, at: path)
        return try compiler.append(.layerNorm(spatialAxes: Array(value.spatial.indices), epsilon: epsilon), [input], value, at: path)
    }

    /// γ and β, one for each channel, where `.weight` or `.bias` came.
    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        try LayerNorm.check(epsilon, at: place.pointer)
        try check(channels: value.channels, at: place.pointer)
        let size = value.channels / groups
        return try compiler.normalize(
            input, epsilon: epsilon, groupCount: groups, parameters: [value.channels],
            group: { index in index[index.count - 1] / size }, parameter: { index in index[index.count - 1] }, at: place)
    }

    private func check(channels: Int?, at path: String) throws(ArchitectureError) {
        guard groups >= 1 else { throw ArchitectureError(path: path + "/groups", detail: "1 or more expected; \(groups) came") }
        guard let channels, channels % groups != 0 else { return }
        throw ArchitectureError(path: path + "/groups", detail: "a divisor of the \(channels) channels expected; \(groups) came")
    }
}
