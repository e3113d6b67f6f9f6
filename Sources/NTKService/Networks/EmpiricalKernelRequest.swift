internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/empirical-kernels`, validated.
struct EmpiricalKernelRequest: ComputeTask {
    var source: NetworkSource
    var network: FiniteNetwork
    var included: Set<Int>
    var x1: Matrix<Double>
    var x2: Matrix<Double>?
    var patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)?
    var kinds: [KernelKind]
    var outputs: OutputSelection
    var isLayerwise: Bool
    var precision: KernelRequest.Precision

    init(_ reader: consuming ObjectReader, _ source: NetworkSource) throws(ProblemDetails) {
        self.source = source
        let first = try reader.networkPoints("x1", source.format)
        let second = try reader.optionalNetworkPoints("x2", source.format)
        network = try source.network(shape: first.shape, points: "x1")
        if let second, second.shape != first.shape {
            throw .invalid("/x2", "points of the shape of those of x1 expected, \(first.shape) with channels last; shape \(second.shape) came")
        }
        x1 = first.values
        x2 = second?.values
        let pattern1 = try reader.pattern("pattern1", network, points: x1.rows)
        let pattern2 = x2 == nil ? nil : try reader.pattern("pattern2", network, points: x2?.rows ?? 0)
        patterns = pattern1.map { ($0, pattern2) }
        kinds = try KernelRequest.kinds(reader.optional("kinds"))
        outputs = try Self.outputs(reader.optional("outputs"), of: network.outputs)
        isLayerwise = try reader.bool("layerwise", default: false)
        precision = try reader.choice("precision", default: .float64)
        included = try Self.included(&reader, network)
        try reader.finish(orNull: ["pattern2", "output"])
    }

    static func outputs(_ value: JSONValue?, of count: Int) throws(ProblemDetails) -> OutputSelection {
        let what = "\"mean\", \"sum\", \"diagonal\", \"full\" or a list of outputs from 0 to \(count - 1) expected"
        switch value {
        case nil, .string("mean"): return .mean
        case .string("sum"): return .sum
        case .string("diagonal"): return .diagonal
        case .string("full"): return .full
        case .some(let value):
            guard let values = value.listElements, !values.isEmpty else { throw .invalid("/outputs", what) }
            var outputs: [Int] = []
            var known: Set<Int> = []
            for (index, value) in values.enumerated() {
                guard case .number(let number) = value, let output = number.integer, output >= 0, output < count, known.insert(output).inserted else {
                    throw .invalid("/outputs/\(index)", "an output from 0 to \(count - 1), each once, expected")
                }
                outputs.append(output)
            }
            return .chosen(outputs)
        }
    }

    static func included(_ reader: inout ObjectReader, _ network: FiniteNetwork) throws(ProblemDetails) -> Set<Int> {
        let trainable = network.parameters.indices.filter { network.parameters[$0].isTrainable }
        let chosen = try reader.chosenParameters(trainable.map { network.parameters[$0].name }, counting: Set(trainable.indices))
        return Set(chosen.map { trainable[$0] })
    }

    func kernel(on tiles: any TileExecutor) throws -> EmpiricalKernel {
        EmpiricalKernel(network, try source.values(network, on: tiles), included: included)
    }

    var cost: EmpiricalKernel.Cost {
        let kernel = EmpiricalKernel(network, NetworkParameters(values: []), included: included)
        return precision == .float64
            ? kernel.cost(n1: x1.rows, n2: x2?.rows, outputs: outputs, isLayerwise: isLayerwise, as: Double.self)
            : kernel.cost(n1: x1.rows, n2: x2?.rows, outputs: outputs, isLayerwise: isLayerwise, as: Float.self)
    }

    /// Of what stands in a row of the kernel.
    var rowShape: [Int] { [x2?.rows ?? x1.rows] + outputs.shape(outputs: network.outputs) }

    var answersOneArray: Bool { kinds.count == 1 && !isLayerwise }

    var work: Work {
        var work = source.work(network)
        if kinds.contains(.ntk) { work += cost.work }
        if kinds.contains(.nngp) {
            let pairs = Double(x1.rows) * Double(x2?.rows ?? x1.rows)
            work += network.outputsWork(points: x1.rows.addingClamped(x2?.rows ?? 0), isFloat32: precision == .float32)
            work += Work(.products, 2 * pairs * Double(network.outputs)) + Work(.calls, 20).onOneThread
        }
        return work
    }
    var peakBytes: Int { cost.peakBytes }
    var tableBytes: Int { network.tableBytes }

    func workingBytes(threads: Int) -> Int { network.gatheredBytes(threads: threads, elementBytes: precision == .float64 ? 8 : 4) }
}
