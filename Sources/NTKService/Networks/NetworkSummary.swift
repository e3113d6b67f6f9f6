internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// A network without its numbers.
struct NetworkSummary: Sendable {
    let layer: Layer
    /// In canonical JSON.
    let architecture: String
    let format: DataFormat
    let inputShape: [Int]?
    /// Of a network whose parameters are drawn.
    let seed: UInt64?
    /// Of the parameters that came, by name.
    let shapes: [String: [Int]]

    init(_ network: NetworkSource) {
        let shapes: [String: [Int]] = if case .given(let arrays) = network.parameters { arrays.mapValues(\.shape) } else { [:] }
        self.init(network, shapes: shapes)
    }

    init(_ network: NetworkSource, shapes: [String: [Int]]) {
        layer = network.layer
        architecture = network.architecture
        format = network.format
        inputShape = network.inputShape
        seed = if case .seed(let seed) = network.parameters { seed } else { nil }
        self.shapes = shapes
    }

    /// Numbers in all parameters that came.
    var givenCount: Int { shapes.values.reduce(0) { $0 + $1.reduce(1, *) } }

    /// The shape of points where the first layer's weights tell it; nil where spatial extents are open.
    var impliedShape: [Int]? {
        guard seed == nil else { return nil }
        func first(_ layer: Layer, _ name: String) -> [Int]? {
            switch layer {
            case .serial(let layers):
                for (index, layer) in layers.enumerated() {
                    switch layer {
                    case .identity, .dropout, .activation: continue
                    default: return first(layer, name.isEmpty ? "\(index)" : "\(name).\(index)")
                    }
                }
                return nil
            case .dense:
                let shape = shapes[name.isEmpty ? "weight" : "\(name).weight"]
                return shape?.count == 2 ? shape.map { [$0[1]] } : nil
            case .mlp:
                let shape = shapes[name.isEmpty ? "0.weight" : "\(name).0.weight"]
                return shape?.count == 2 ? shape.map { [$0[1]] } : nil
            default: return nil
            }
        }
        guard let shape = first(layer, ""), shape[0] > 0 else { return nil }
        return shape
    }
}
