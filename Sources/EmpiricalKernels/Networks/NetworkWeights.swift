import Architecture
public import LinearAlgebra

/// Values of all parameters of a network, in the order of `FiniteNetwork.parameters`, each in the row-major order of its shape.
public struct NetworkParameters: Sendable {
    public let values: [Storage<Double>]

    public init(values: [Storage<Double>]) { self.values = values }
}

/// The parameters in the precision and the order of memory that the passes use.
struct NetworkWeights<Element: Scalar>: Sendable {
    var values: [Storage<Element>]

    init(_ parameters: NetworkParameters, _ network: LayerProgram) {
        values = zip(parameters.values, network.parameters).map { source, parameter in
            let target = Storage<Element>(count: parameter.count)
            let (from, to) = unsafe (source.base, target.base)
            switch parameter.layout {
            case .asGiven: for place in 0..<parameter.count { unsafe to[place] = Element(from[place]) }
            default: for place in 0..<parameter.count { unsafe to[place] = Element(from[parameter.source(place)]) }
            }
            return target
        }
    }
}

extension Storage {
    /// Storage of zeros.
    convenience init(zeros count: Int) {
        self.init(count: count)
        unsafe base.initialize(repeating: 0, count: count)
    }
}
