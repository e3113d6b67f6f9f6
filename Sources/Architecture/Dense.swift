package import Activations
import LinearAlgebra

/// An affine map of the channels, z = σ_w/√fan-in · W x + σ_b b in the "ntk" parameterization:
///
///     K ← σ_w² K + σ_b²,   Θ ← K + σ_w² Θ   (Jacot, Gabriel, Hongler 2018, arXiv 1806.07572)
///
/// In the "standard" one, z = W x + b with the variances in the distribution of W and b, Θ ← σ_w² Θ + fan-in · K + 1 with the K before.
package struct Dense: LayerRule {
    package let affine: Affine

    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        try affine.append(to: &compiler, taps: 1, input, at: path)
    }

    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        let width = try affine.width(compiler.given?[place.parameter("weight")]?.first, in: compiler, at: place)
        return try affine.append(
            to: &compiler, input, .init(spatial: value.spatial, channels: width), taps: nil, window: 1, isLocal: false,
            weight: ([width, value.channels], .asGiven), bias: [width], at: place)
    }
}
