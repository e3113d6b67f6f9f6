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

    init(_ value: JSONValue, _ store: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        source = try reader.network("network", store)
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
        included = try Self.included(reader.optional("include"), network)
        try reader.finish(orNull: ["pattern2"])
    }

    private static func outputs(_ value: JSONValue?, of count: Int) throws(ProblemDetails) -> OutputSelection {
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

    /// The trainable parameters whose names match a pattern, in which * stands for any characters.
    private static func included(_ value: JSONValue?, _ network: FiniteNetwork) throws(ProblemDetails) -> Set<Int> {
        let trainable = network.parameters.indices.filter { network.parameters[$0].isTrainable }
        guard let value else { return Set(trainable) }
        guard case .array(let values) = value, !values.isEmpty else { throw .invalid("/include", "a list of names such as \"0.*\" expected") }
        var included: Set<Int> = []
        for (index, value) in values.enumerated() {
            guard case .string(let pattern) = value else { throw .invalid("/include/\(index)", "a name such as \"0.*\" expected") }
            let matching = trainable.filter { matches(network.parameters[$0].name.utf8[...], pattern.utf8[...]) }
            guard !matching.isEmpty else {
                let names = trainable.map { network.parameters[$0].name }.joined(separator: ", ")
                throw .invalid(
                    "/include/\(index)", "a name among the trainable parameters expected (\(names)); \"\(pattern.prefix(80))\" matches none")
            }
            included.formUnion(matching)
        }
        return included
    }

    /// By the greedy way, which goes back to the last star only: linear in the name for each star.
    private static func matches(_ name: Substring.UTF8View, _ pattern: Substring.UTF8View) -> Bool {
        var (name, pattern) = (name, pattern)
        var retry: (name: Substring.UTF8View, pattern: Substring.UTF8View)?
        while let byte = name.first {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (name, pattern)
            } else if pattern.first == byte {
                (name, pattern) = (name.dropFirst(), pattern.dropFirst())
            } else if let last = retry {
                retry = (last.name.dropFirst(), last.pattern)
                (name, pattern) = (last.name.dropFirst(), last.pattern)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
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
