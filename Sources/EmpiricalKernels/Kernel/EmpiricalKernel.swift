import Architecture
public import LinearAlgebra

/// The kernels of a network with given weights: the tangent kernel Θ̂ of its gradients and the Gram matrix of its outputs.
///
///     Θ̂(x, x')_{oo'} = Σ_p ∂f_o(x)/∂θ_p · ∂f_o'(x')/∂θ_p
///
/// It is formed layer by layer as the outputs' derivatives come back through the network, so that the Jacobian never exists; each layer's
/// share is a Gram matrix, so that the kernel is positive semi-definite up to rounding, and symmetric bit for bit without `x2`.
/// Source of the algorithms: Novak, Sohl-Dickstein, Schoenholz 2022 (arXiv 2206.08720).
public struct EmpiricalKernel: Sendable {
    public let network: FiniteNetwork
    public let parameters: NetworkParameters
    /// Indices of the parameters whose gradients count.
    public let included: Set<Int>
    /// What the values and derivatives that exist at one time may take; more points than fit are taken in blocks.
    public var workingBytes = 1 << 30
    /// Floating-point operations of a block: some ten seconds, in which passing its points through the network again does not count for much.
    public var blockOperations = 1_000_000_000_000
    /// How linear layers' shares are formed; nil: the cheaper way for each. Layers with weights of their own at each position know one way.
    public var algorithm: ContractionAlgorithm?

    /// - Parameter included: indices into `network.parameters`; nil: all that are trainable.
    public init(_ network: FiniteNetwork, _ parameters: NetworkParameters, included: Set<Int>? = nil) {
        self.network = network
        self.parameters = parameters
        self.included = included ?? Set(network.parameters.indices.filter { network.parameters[$0].isTrainable })
    }

    public struct Result<Element: Scalar>: Sendable {
        /// [n1, n2 · entries of a pair].
        public var kernel: Matrix<Element>
        /// The share of each included parameter, where asked for.
        public var shares: [(name: String, kernel: Matrix<Element>)]
    }

    /// The tangent kernel between the points of `x1` [n1, features] and `x2` [n2, features], or among those of `x1`.
    ///
    /// Time: a forward pass of each point, a backward pass of each point and output, and `plan`'s contractions. Memory: the result one and a
    /// half times, and `workingBytes`.
    /// - Parameters:
    ///   - patterns: for `aggregate`, the adjacency of each point of x1 and x2.
    ///   - isLayerwise: whether the share of each parameter is returned too.
    ///   - name: under which its blocks are kept, where the executor keeps any; not with `isLayerwise`.
    /// - Throws: `NetworkError.overflow`; what the executor throws.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func ntk<Element: Scalar>(
        _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil, patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)? = nil,
        outputs selection: OutputSelection, isLayerwise: Bool = false, keptAs name: String? = nil, as _: Element.Type,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Result<Element> {
        let blocks = Blocks<Element>(self, x1, x2, patterns: patterns, outputs: selection, isLayerwise: isLayerwise)
        if let name, let keeper = executor.keeper, blocks.tiles.count > 1 {
            precondition(!isLayerwise, "one matrix is kept")
            let kept = try keeper.matrix(
                name, plan: "in blocks of \(blocks.side)", inputs: [], rows: x1.rows, columns: blocks.columns, blocks: blocks.tiles.count,
                as: Element.self, places: blocks.places
            ) { try blocks.compute($0, total: $1, shares: [], on: executor) }
            if let kept {
                let own = keeper.copy(kept)
                try Self.requireFinite(own)
                return Result(kernel: own, shares: [])
            }
        }
        let total = Matrix<Element>(uninitializedRows: x1.rows, columns: blocks.columns)
        let shares = blocks.names.map { _ in Matrix<Element>(uninitializedRows: x1.rows, columns: blocks.columns) }
        for index in blocks.tiles.indices { try blocks.compute(index, total: total, shares: shares, on: executor) }
        try blocks.complete(total: total, shares: shares)
        return Result(kernel: total, shares: Array(zip(blocks.names, shares)))
    }

    /// The Gram matrix of the outputs, f(x) f(x')ᵀ, of which neural-tangents' empirical NNGP is the mean over outputs.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func nngp<Element: Scalar>(
        _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil, patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)? = nil,
        outputs selection: OutputSelection, as _: Element.Type, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Matrix<Element> {
        let outputs = selection.outputs(of: network.outputs)
        func values(_ x: Matrix<Double>, _ patterns: Matrix<Double>?) throws -> Storage<Element> {
            let all = try network.outputs(x, parameters: parameters, patterns: patterns, as: Element.self, on: executor)
            let chosen = Storage<Element>(count: x.rows * outputs.count)
            for row in 0..<x.rows {
                for (place, output) in outputs.enumerated() { chosen.set(row * outputs.count + place, all[row, output]) }
            }
            return chosen
        }
        let first = try values(x1, patterns?.x1)
        let second = try x2.map { try values($0, patterns?.x2) } ?? first
        let tiles = KernelTiles<Element>(
            rows: x1.rows, columns: x2?.rows ?? x1.rows, isSymmetric: x2 == nil, form: selection.form, outputs: outputs.count)
        try tiles.addGram(first, second, outputs: outputs.count, width: 1, alpha: 1, on: executor)
        let result = Matrix<Element>(
            uninitializedRows: x1.rows, columns: (x2?.rows ?? x1.rows) * KernelTiles<Element>.entries(selection.form, outputs.count))
        let factor = selection == .mean ? 1 / Element(outputs.count) : 1
        try tiles.store(result, at: (0, 0), factor: factor, mirrored: x2 == nil, on: executor)
        try Self.requireFinite(result)
        return result
    }

    static func requireFinite<Element: Scalar>(_ matrix: Matrix<Element>) throws(NetworkError) {
        for place in 0..<matrix.rows * matrix.columns where unsafe !matrix.base[place].isFinite {
            throw .overflow(precision: Element.self == Float.self ? "float32" : "float64")
        }
    }

    /// Points in a block, so that values and derivatives stay within the working memory, and the time within some seconds.
    /// - Parameter n2: nil: the kernel among n1 points.
    func blockSide<Element: Scalar>(_ selection: OutputSelection, n1: Int, n2: Int?, as _: Element.Type) -> Int {
        let point = bytesPerPoint(selection, elementBytes: MemoryLayout<Element>.stride)
        var side = min(max(1, workingBytes / max(1, point.multipliedClamped(by: n2 == nil ? 1 : 2))), max(n1, n2 ?? 0, 1))
        // Of fewer tiles not all cores would have one.
        let least = 4 * KernelTiles<Element>.side(selection.form, selection.count(of: network.outputs))
        while side / 2 >= least, operations(side: side, selection, as: Element.self) > blockOperations { side = (side + 1) / 2 }
        return side
    }

    /// What a point takes while its derivatives go back: all values, and the derivatives of three layers at the most.
    func bytesPerPoint(_ selection: OutputSelection, elementBytes: Int) -> Int {
        let largest = network.program.values.map(\.size).max() ?? 1
        let count = selection.count(of: network.outputs)
        let outputs = selection.form == .trace ? min(count, KernelPass<Double>.outputsAtOnce) : count
        return network.valuesPerPoint.addingClamped(largest.multipliedClamped(by: 3 * outputs)).multipliedClamped(by: elementBytes)
    }
}
