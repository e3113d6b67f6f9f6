public import Architecture
public import LinearAlgebra

/// A network of finite width on points of one shape: its parameters by name and shape, and its outputs.
///
/// Parameters are named by the layers' index paths (`0.weight`, `2.bias`, `4.0.weight` inside a residual) with PyTorch's shapes, so that the
/// `state_dict` of a `torch.nn.Sequential` fits as it is. In the "standard" parameterization a layer is f = W x + b; in "ntk"
/// f = σ_w/√fan-in · W x + σ_b b. Activations stand anywhere, unlike in the analytic kernel; dropout is the identity.
public struct FiniteNetwork: Sendable {
    /// Extents of a point: spatial axes, then channels.
    public let inputShape: [Int]
    /// Extents of the output for a point, in the order of the data format.
    public let outputShape: [Int]
    let program: LayerProgram
    /// Bytes of the tables that the network keeps: which positions its layers combine.
    public let tableBytes: Int

    public var parameters: [NetworkParameter] { program.parameters }
    /// Numbers in the output for a point.
    public var outputs: Int { outputShape.clampedProduct }
    public var parameterCount: Int { parameters.reduce(0) { $0.addingClamped($1.count) } }
    /// Nodes of the graphs over which the network aggregates; nil where points come without patterns.
    public var patternSize: Int? { program.patternSize }
    /// Floating-point operations of a forward pass of one point.
    public var operationsPerPoint: Int { program.operationsPerPoint }
    /// Drawing all parameters.
    public var drawWork: Work { Work(.formulas, 40 * Double(parameterCount)) + Work(.calls, 5) }

    /// Reading all parameters that were given.
    public var copyWork: Work { Work(.memory, 32 * Double(parameterCount)).onOneThread }

    /// `outputs` at so many points.
    public func outputsWork(points: Int, isFloat32: Bool = false) -> Work {
        program.forwardWork(points: points) * (isFloat32 ? 0.6 : 1) + Work(.memory, 16 * Double(parameterCount)).onOneThread
    }

    /// Numbers of all values of a forward pass of one point.
    public var valuesPerPoint: Int { program.valuesPerPoint }

    /// - Parameters:
    ///   - inputShape: extents of a point, spatial axes first, channels last.
    ///   - isChannelsFirst: whether `flatten`, spatial outputs and layer norm's parameters are in the order channels, spatial axes (PyTorch's).
    ///   - given: shapes of the parameters that there are, by name: a layer has a bias if its `.bias` is among them. nil: parameters are to be
    ///     drawn; each layer states its width, and has a bias if it has a b_std.
    ///   - meter: asked for the memory of tables before they are made, and now and then whether to go on.
    /// - Throws: `NetworkError` with the place in the tree, or with every parameter that is missing, surplus or misshapen.
    public init(
        _ architecture: Layer, inputShape: [Int], isChannelsFirst: Bool = false, given: [String: [Int]]?,
        meter: CompilationMeter = CompilationMeter()
    ) throws(NetworkError) {
        precondition(!inputShape.isEmpty && inputShape.allSatisfy { $0 > 0 }, "a point has at least one number")
        self.inputShape = inputShape
        let before = meter.usage.bytes
        program = try NetworkCompiler.compile(architecture, shape: inputShape, isChannelsFirst: isChannelsFirst, given: given, meter: meter)
        tableBytes = meter.usage.bytes - before
        let output = program.values[program.output]
        outputShape = isChannelsFirst ? [output.channels] + output.spatial : output.spatial + [output.channels]
    }

    /// Draws all parameters, N(0, 1) in the "ntk" parameterization, N(0, σ_w²/fan-in) and N(0, σ_b²) in "standard": bit for bit the same for
    /// the same seed and sample, on any number of threads.
    public func drawParameters(
        seed: UInt64, sample: UInt32 = 0, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> NetworkParameters {
        try ParameterDraw(seed: seed, sample: sample).parameters(parameters, on: executor)
    }

    /// Points that pass the network together: blocks of them bound the memory of the values.
    private func blockSide(elementBytes: Int) -> Int {
        let each = max(1, valuesPerPoint.multipliedClamped(by: elementBytes))
        return max(1, min(64, (1 << 30) / each), (256 << 20) / each)
    }

    /// Numbers of the values that there are at one time while the outputs of so many points are computed.
    public func valuesAtOnce(points: Int, elementBytes: Int) -> Int {
        min(points, blockSide(elementBytes: elementBytes)).multipliedClamped(by: valuesPerPoint)
    }

    /// Bytes that so many threads gather the patches of windows into, each those of a block of points, or of their derivatives.
    public func gatheredBytes(threads: Int, elementBytes: Int) -> Int {
        program.gatheredNumbers.multipliedClamped(by: threads).multipliedClamped(by: elementBytes)
    }

    /// f(x) for each row of `x` [n, features], a point in row-major order of `inputShape`: [n, outputs].
    ///
    /// Time: n · `operationsPerPoint`. Memory: all layers' values for n points.
    /// - Parameter patterns: for `aggregate`, the adjacency of each point [n, V·V].
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func outputs<Element: Scalar>(
        _ x: Matrix<Double>, parameters: NetworkParameters, patterns: Matrix<Double>? = nil, as _: Element.Type,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Matrix<Element> {
        let weights = NetworkWeights<Element>(parameters, program)
        let result = Matrix<Element>(uninitializedRows: x.rows, columns: outputs)
        let side = blockSide(elementBytes: MemoryLayout<Element>.stride)
        for block in TileGrid(rows: x.rows, columns: 1, side: side, upperOnly: false).tiles.map(\.rows) {
            let pass = try ForwardPass<Element>(program, weights, x, patterns: patterns, rows: block, on: executor)
            unsafe (result.base + block.lowerBound * outputs).update(from: pass.output.base, count: block.count * outputs)
        }
        for place in 0..<x.rows * outputs where unsafe !result.base[place].isFinite {
            throw NetworkError.overflow(precision: Element.self == Float.self ? "float32" : "float64")
        }
        return result
    }
}
