internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let gradientFeatures = computing("/v1/gradient-features") { service, _, _ in
        let networks = service.networks
        return Computation(
            { value throws(ProblemDetails) in
                var reader = try ObjectReader(value, at: "")
                switch try reader.network("network", networks) {
                case .architecture(let source): return .architecture(try GradientFeaturesRequest(reader, source))
                case .file(let file): return .file(try file.task(&reader, ModelFeatures<Double>.read, ModelFeatures<Float>.read))
                }
            }, answer: NetworkTask<GradientFeaturesRequest>.answer { try $0.answer(on: $1) })
    }
}

/// `POST /v1/gradient-features` of a network of an architecture, validated: gradients in float64, block by block of points.
struct GradientFeaturesRequest: ComputeTask {
    let source: NetworkSource
    let network: FiniteNetwork
    let included: [Int]
    let x: Matrix<Double>
    let pattern: Matrix<Double>?
    let settings: FeatureSettings

    init(_ reader: consuming ObjectReader, _ source: NetworkSource) throws(ProblemDetails) {
        self.source = source
        let points = try reader.networkPoints("x", source.format)
        network = try source.network(shape: points.shape, points: "x")
        x = points.values
        pattern = try reader.pattern("pattern", network, points: x.rows)
        settings = try FeatureSettings(
            &reader, points: x.rows, outputs: network.outputs, reader.choice("precision", default: .float64))
        included = try EmpiricalKernelRequest.included(&reader, network).sorted()
        try reader.finish(orNull: ["output"])
    }

    private var parameterCount: Int { included.reduce(0) { $0.addingClamped(network.parameters[$1].count) } }
    private var width: Int { settings.width(parameters: parameterCount) }

    /// Points whose gradients stand beside each other.
    private var block: Int { max(1, min(x.rows, ModelPasses.blockBytes / max(parameterCount.multipliedClamped(by: 8), 1))) }

    var answersOneArray: Bool { true }

    var work: Work {
        source.work(network) + NetworkTraining.stepWork(network, points: 1, hasMomentum: false) * x.rows
            + settings.work(points: x.rows, parameters: parameterCount, blocks: (x.rows + block - 1) / max(block, 1))
    }

    /// The features, the gradients of a block, and what one point's gradient takes: its values, and copies of the parameters.
    var peakBytes: Int {
        let (all, chosen) = (Count(network.parameterCount), Count(parameterCount))
        let gradients = chosen * Count(block + 1) + all * 14 + Count(network.valuesPerPoint) * 3
        return ((Count(x.rows) * Count(width) * 2 + gradients) * 8).value
    }

    var tableBytes: Int { network.tableBytes }

    func workingBytes(threads: Int) -> Int { network.gatheredBytes(threads: threads, elementBytes: 8) }

    func answer(on tiles: any TileExecutor) throws -> Answer {
        do {
            let features = try features(on: tiles)
            guard features.isFinite else { throw NetworkError.overflow(precision: "float64") }
            let parameters = included.map { (network.parameters[$0].name, network.parameters[$0].shape) }
            guard settings.precision == .float32 else { return settings.answer(features, parameters) }
            let single = Matrix<Float>(rows: features.rows, columns: features.columns, features.elements.map { Float($0) })
            guard single.hasNumbersOnly else { throw NetworkError.overflow(precision: "float32") }
            return settings.answer(single, parameters)
        } catch let error as NetworkError {
            throw ProblemDetails(error, at: source.place)
        }
    }

    private func features(on tiles: any TileExecutor) throws -> Matrix<Double> {
        let values = try source.values(network, on: tiles)
        let result = Matrix<Double>(zeroRows: x.rows, columns: width)
        let context = ModelPasses.context(tiles)
        for start in stride(from: 0, to: x.rows, by: block) {
            let range = start..<min(start + block, x.rows)
            let gradients = included.map { Matrix<Double>(uninitializedRows: range.count, columns: network.parameters[$0].count) }
            for (row, point) in range.enumerated() {
                let (_, own) = try network.gradient(
                    x.rows([point]), parameters: values, patterns: pattern?.rows([point]), on: tiles
                ) { Matrix(rows: 1, columns: $0.columns, derivative($0.elements, of: point)) }
                for (place, target) in zip(included, gradients) {
                    unsafe (target.base + row * target.columns).update(from: own.values[place].base, count: target.columns)
                }
            }
            let target = Matrix<Double>(zeroRows: range.count, columns: width)
            var column = 0
            for (place, gradient) in zip(included, gradients) {
                if let projection = settings.projection {
                    try projection.add(gradient, of: network.parameters[place].name, to: target, context)
                } else {
                    for row in 0..<range.count {
                        unsafe (target.base + row * width + column).update(from: gradient.base + row * gradient.columns, count: gradient.columns)
                    }
                    column += gradient.columns
                }
            }
            unsafe (result.base + range.lowerBound * width).update(from: target.base, count: range.count * width)
        }
        return result
    }

    /// The derivative of a point's number by its outputs.
    private func derivative(_ outputs: [Double], of point: Int) -> [Double] {
        switch settings.scalar {
        case .output(let output): outputs.indices.map { $0 == output ? 1 : 0 }
        case .functional(let functional, let labels): functional.derivative(outputs, label: labels[point])
        }
    }
}
