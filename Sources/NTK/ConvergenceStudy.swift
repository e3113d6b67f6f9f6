internal import AnalyticKernels
public import Architecture
public import EmpiricalKernels
internal import Glibc
public import KernelLoops
public import LinearAlgebra

/// How near the tangent kernels of finite networks come to their infinite limit as the width grows.
///
/// For each width some networks are drawn, and ‖Θ̂ − Θ‖/‖Θ‖ (Frobenius) and the mean of Θ̂(x, x) taken; in the "ntk" parameterization the
/// error falls as width^−½ (Jacot, Gabriel, Hongler 2018, arXiv 1806.07572; Huang, Yau 2019, arXiv 1909.08156).
public struct ConvergenceStudy: Sendable {
    /// Mean over samples and its standard error.
    public struct Estimate: Sendable, Equatable {
        public var mean, standardError: Double

        init(_ values: [Double]) {
            let count = Double(values.count)
            let mean = ScaledSums.mean(values)
            self.mean = mean
            standardError = ScaledSums.norm(values.map { $0 - mean }) / ((count - 1) * count).squareRoot()
        }
    }

    public struct Row: Sendable {
        public var width: Int
        /// ‖Θ̂ − Θ‖/‖Θ‖.
        public var error: Estimate
        /// Mean over points of Θ̂(x, x), and of Θ(x, x).
        public var diagonal: Estimate
        public var infiniteDiagonal: Double

        var isFinite: Bool {
            [error.mean, error.standardError, diagonal.mean, diagonal.standardError, infiniteDiagonal].allSatisfy(\.isFinite)
        }
    }

    public struct Result: Sendable {
        public var widths: [Row]
        /// Slope of log error over log width by least squares; nil for one width, or errors of 0.
        public var rate: Double?
    }

    private let sizes: [(width: Int, network: FiniteNetwork, limit: AnalyticKernel)]

    /// In the order in which they were given.
    public var widths: [Int] { sizes.map(\.width) }

    /// Bytes of the tables of all networks and kernels.
    public let tableBytes: Int

    public var patternSize: Int? { sizes.first?.network.patternSize }

    /// - Parameters:
    ///   - architecture: all its layers get each of the widths in turn, but for the readout at its end, which gets one output.
    ///   - inputShape: extents of a point, channels last.
    ///   - meter: asked for the memory of tables before they are made, and now and then whether to go on.
    /// - Throws: `NetworkError` if the architecture has no finite network or no infinite limit.
    public init(
        _ architecture: Layer, inputShape: [Int], isChannelsFirst: Bool = false, widths: [Int], meter: CompilationMeter = CompilationMeter()
    ) throws(NetworkError) {
        let before = meter.usage.bytes
        var sizes: [(Int, FiniteNetwork, AnalyticKernel)] = []
        for width in widths {
            let layer = architecture.withWidth(width, isLast: true)
            let network = try FiniteNetwork(layer, inputShape: inputShape, isChannelsFirst: isChannelsFirst, given: nil, meter: meter)
            do {
                sizes.append((width, network, try AnalyticKernel(layer, shape: inputShape, meter: meter)))
            } catch {
                throw .architecture(error)
            }
        }
        self.sizes = sizes
        tableBytes = meter.usage.bytes - before
    }

    /// The cost of each width's samples.
    public func costs(points: Int, samples: Int) -> [EmpiricalKernel.Cost] {
        sizes.map { _, network, limit in
            let kernel = EmpiricalKernel(network, NetworkParameters(values: []))
            var cost = kernel.cost(n1: points, n2: nil, outputs: .mean, as: Double.self)
            cost.work = (cost.work + network.drawWork) * samples + limit.work(points)
            return cost
        }
    }

    /// Bytes that so many threads work in beside the results: for the infinite limit, or, after it, for the patches of windows of the networks.
    public func workingBytes(points: Int, threads: Int, elementBytes: Int) -> Int {
        sizes.reduce(0) { most, size in
            let gathered = size.network.gatheredBytes(threads: threads, elementBytes: elementBytes)
            return max(most, gathered, size.limit.workingBytes(points: points, inPanels: true, threads: threads, as: Double.self))
        }
    }

    /// - Parameters:
    ///   - x: [n, features], points in row-major order of the input's shape.
    ///   - samples: networks of each width, 2 or more.
    /// - Throws: `NetworkError`, `KernelError`; what the executor throws.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func run<Element: KernelScalar>(
        _ x: Matrix<Double>, pattern: Matrix<Double>? = nil, samples: Int, seed: UInt64, as _: Element.Type,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Result {
        precondition(samples >= 2, "a standard error needs two samples")
        let patterns = pattern.map { (x1: $0, x2: Matrix<Double>?.none) }
        let costs = costs(points: x.rows, samples: samples)
        var rows: [Row] = []
        for (index, (width, network, limit)) in sizes.enumerated() {
            guard let infinite = try limit.matrices(x, patterns: patterns, kinds: [.ntk], as: Double.self, on: executor).ntk else { continue }
            let norm = ScaledSums.norm(infinite.elements)
            /// The relative error and the mean of the diagonal.
            func measure(_ sample: Int, _ results: Matrix<Double>) throws {
                let parameters = try network.drawParameters(
                    seed: seed, sample: UInt32(truncatingIfNeeded: index * samples + sample), on: executor)
                let finite = try EmpiricalKernel(network, parameters).ntk(x, patterns: patterns, outputs: .mean, as: Element.self, on: executor)
                let difference = ScaledSums.norm(zip(finite.kernel.elements, infinite.elements).map { Double($0) - $1 })
                results.storage.set(2 * sample, norm > 0 ? difference / norm : 0)
                results.storage.set(2 * sample + 1, ScaledSums.mean((0..<x.rows).map { Double(finite.kernel[$0, $0]) }))
            }
            let keeper = executor.keeper.flatMap { Double(costs[index].work.equivalentOperations) > $0.blockOperations ? $0 : nil }
            let kept = try keeper?.matrix(
                "samples-\(width)", plan: "", inputs: [], rows: samples, columns: 2, blocks: samples, as: Double.self,
                places: { [Tile(row: $0, columns: 2)] }, compute: measure)
            let results = kept ?? Matrix<Double>(zeroRows: samples, columns: 2)
            if kept == nil { for sample in 0..<samples { try measure(sample, results) } }
            let row = Row(
                width: width, error: Estimate((0..<samples).map { results[$0, 0] }), diagonal: Estimate((0..<samples).map { results[$0, 1] }),
                infiniteDiagonal: ScaledSums.mean(infinite.diagonal))
            guard row.isFinite else { throw NetworkError.overflow(precision: "float64") }
            rows.append(row)
        }
        return Result(widths: rows, rate: Self.slope(rows))
    }

    private static func slope(_ rows: [Row]) -> Double? {
        guard rows.count > 1, rows.allSatisfy({ $0.error.mean > 0 }) else { return nil }
        let (x, y) = (rows.map { log(Double($0.width)) }, rows.map { log($0.error.mean) })
        let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
        let covariance = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
        return covariance / x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    }
}

extension Layer {
    /// The same architecture with this width in every layer, but for an affine readout at its end, which gets one output.
    func withWidth(_ width: Int, isLast: Bool) -> Layer {
        func changed(_ affine: Affine, _ width: Int) -> Affine {
            var affine = affine
            affine.width = width
            return affine
        }
        func all(_ layers: [Layer], isLast: Bool) -> [Layer] {
            layers.enumerated().map { $1.withWidth(width, isLast: isLast && $0 == layers.count - 1) }
        }
        switch self {
        case .serial(let layers): return .serial(all(layers, isLast: isLast))
        case .parallel(let layers): return .parallel(all(layers, isLast: false))
        case .residual(let layers): return .residual(all(layers, isLast: false))
        case .repeated(let layer, let count): return .repeated(layer.withWidth(width, isLast: false), count: count)
        case .mlp(let depth, let activation, let hidden, let readout):
            return .mlp(depth: depth, activation: activation, hidden: changed(hidden, width), readout: changed(readout, isLast ? 1 : width))
        case .dense(let affine): return .dense(changed(affine, isLast ? 1 : width))
        case .convolution(var convolution):
            convolution.affine = changed(convolution.affine, isLast ? 1 : width)
            return .convolution(convolution)
        case .selfAttention(var attention):
            attention.width = width
            return .selfAttention(attention)
        default: return self
        }
    }
}
