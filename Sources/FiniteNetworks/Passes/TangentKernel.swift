public import LinearAlgebra

/// Which entries of the [outputs, outputs] block of a pair of points a tangent kernel has.
public enum KernelOutputs: Sendable, Equatable {
    /// Each output with every one: [n1, n2, k, k].
    case full
    /// Each output with itself: [n1, n2, k].
    case diagonal
    /// The trace over all outputs: [n1, n2].
    case sum
    /// The trace divided by the number of outputs: [n1, n2].
    case mean
}

/// One number of a point, from its logits and its label.
public enum LabelFunctional: Sendable, Equatable {
    /// log p_y / (1 − p_y) with p = softmax(logits).
    case logOdds
    /// log p_y.
    case logLikelihood
    /// The label's logit.
    case labelLogit
}

/// What a tangent kernel is of.
public struct KernelQuestion: Sendable {
    public var outputs: KernelOutputs = .full
    /// Outputs that take part, by their place in the flattened output; nil for all.
    public var chosenOutputs: [Int]?
    /// One number of each point instead of its outputs, with the labels of both sets of points; the kernel is [n1, n2].
    public var functional: (kind: LabelFunctional, labels1: [Int], labels2: [Int])?
    /// Names of parameters that take part; nil for those that count by default.
    public var parameters: [String]?
    /// Whether each parameter's share comes by itself.
    public var isLayerwise = false
    /// One way for every parameter that allows it, for tests; nil for the cheaper one of each.
    package var way: PassPlan.Way?

    public init() {}
}

/// K(x, x') = Σ over parameters of ∂f(x)/∂θ · ∂f(x')/∂θ.
public struct TangentKernel<F: NetworkScalar>: Sendable {
    /// [n1, n2] and what `KernelOutputs` says.
    public let shape: [Int]
    /// The kernel, row-major, or of each parameter its share.
    public let shares: [(parameter: String?, numbers: Storage<F>)]
    /// Parameters whose share came from Gram matrices; that of the others came from their gradients.
    public let byGrams: [String]
}

extension NetworkProgram {
    /// The tangent kernel of two sets of points, or of one with itself (`x2` nil).
    ///
    /// Time: for each point and output a way back over the graph, and for each parameter the cheaper of Jacobian blocks and their product,
    /// 2 n² k² p operations, and of Gram matrices, 2 n² k² t² (rows + columns). Memory: bounded by `context.blockBytes` and the kernel.
    /// - Throws: `GraphError` for points, labels and outputs that do not fit, `CancellationError`.
    public func tangentKernel(
        _ x1: [String: NetworkInput], _ x2: [String: NetworkInput]? = nil, _ question: KernelQuestion = KernelQuestion(),
        _ context: PassContext = PassContext()
    ) throws -> TangentKernel<F> {
        let left = try PreparedInputs(x1, self)
        let right = try x2.map { points throws(GraphError) in try PreparedInputs(points, self) }
        var work = try KernelWork(self, left, right, question, context)
        try work.run()
        return work.result()
    }
}

/// The computation of one tangent kernel.
struct KernelWork<F: NetworkScalar> {
    private let program: NetworkProgram<F>
    private let left: PreparedInputs<F>
    private let right: PreparedInputs<F>
    private let isSymmetric: Bool
    private let question: KernelQuestion
    private let context: PassContext
    private let plan: PassPlan
    private let seeds: KernelSeeds<F>
    /// [n1, n2] and what follows, one for each share.
    private let kernels: [Storage<F>]
    /// The share of each parameter, by root.
    private let shareOf: [Wire: Int]
    private let names: [String?]

    private var cotangents: Int { seeds.count }
    private var isFull: Bool { question.outputs == .full || question.functional != nil }

    init(
        _ program: NetworkProgram<F>, _ left: PreparedInputs<F>, _ right: PreparedInputs<F>?, _ question: KernelQuestion, _ context: PassContext
    ) throws(GraphError) {
        self.program = program
        self.left = left
        self.right = right ?? left
        isSymmetric = right == nil
        self.question = question
        self.context = context
        seeds = try KernelSeeds(program, question, counts: (left.count, self.right.count))
        var parameters = program.parameters.indices.filter { program.parameters[$0].countsByDefault }
        if let names = question.parameters {
            let known = Set(program.parameters.map(\.name))
            for name in names where !known.contains(name) { throw GraphError(.points, "the network has no parameter \"\(name)\"") }
            let chosen = Set(names)
            parameters = program.parameters.indices.filter { chosen.contains(program.parameters[$0].name) }
        }
        let (n1, n2, k) = (Double(left.count), Double(self.right.count), Double(seeds.count))
        let pairs = question.outputs == .full || question.functional != nil ? n1 * n2 * k * k : n1 * n2 * k
        let sides = right == nil ? n1 : n1 + n2
        plan = PassPlan(program, parameters: parameters) { weight in
            if let way = question.way { return way }
            let (t, area) = (Double(weight.positions), Double(weight.rows) * Double(weight.columns))
            let gradients = sides * k * (2 * t + 2) * area + 2 * pairs * area
            // Terms of equal orientation, roughly: activations once a pair of points, cotangents once a pair of rows.
            let use = weight.uses[0].products
            let activations = use.isOneHot ? 1 : 2 * Double(use.sampleExtent)
            let grams = t * t * (n1 * n2 * activations + pairs * 2 * Double(use.rowExtent) + 2 * pairs)
            return grams < gradients ? .grams : .gradients
        }
        let shares = question.isLayerwise ? parameters.count : 1
        names = question.isLayerwise ? parameters.map { program.parameters[$0].name } : [nil]
        let places = parameters.enumerated().map { place, index in (program.parameters[index].wire, question.isLayerwise ? place : 0) }
        shareOf = Dictionary(uniqueKeysWithValues: places)
        let size = left.count * self.right.count * seeds.entries(question)
        kernels = (0..<shares).map { _ in Storage(count: size) }
        for kernel in kernels { unsafe kernel.base.initialize(repeating: 0, count: size) }
    }

    func result() -> TangentKernel<F> {
        TangentKernel(
            shape: [left.count, right.count] + seeds.shape(question), shares: Array(zip(names, kernels)).map { (parameter: $0.0, numbers: $0.1) },
            byGrams: program.parameters.filter { plan.structured[$0.wire] != nil }.map(\.name))
    }

    /// Points of a block, so that two blocks fit the memory that is allowed.
    private func blockSize() -> Int {
        let (rowElements, sampleBytes) = plan.peaks(program)
        let perSample = sampleBytes.addingClamped(rowElements.multipliedClamped(by: cotangents * MemoryLayout<F>.stride))
        var factors = 0
        for weight in plan.structured.values {
            let each = weight.uses.reduce(0) { $0 + $1.products.positions * ($1.products.sampleExtent + $1.products.rowExtent * cotangents) }
            factors = max(factors, weight.uses.count > 1 ? each : each / max(weight.uses.count, 1))
        }
        let bytes = perSample.addingClamped(factors.multipliedClamped(by: MemoryLayout<F>.stride))
        return max(1, context.blockBytes / max(bytes.multipliedClamped(by: isSymmetric && left.count * bytes <= context.blockBytes ? 1 : 2), 1))
    }

    mutating func run() throws {
        guard left.count > 0, right.count > 0, !plan.parameters.isEmpty, cotangents > 0 else { return }
        let block = blockSize()
        for top in stride(from: 0, to: left.count, by: block) {
            let rows = top..<min(top + block, left.count)
            for start in stride(from: isSymmetric ? top : 0, to: right.count, by: block) {
                let columns = start..<min(start + block, right.count)
                try tile(rows, columns, isDiagonal: isSymmetric && rows == columns)
            }
        }
    }

    private func pass(_ inputs: PreparedInputs<F>, _ range: Range<Int>, isLeft: Bool) throws -> ReversePass<F> {
        let values = try program.forward(inputs, range, keeps: plan.keeps, lastUses: plan.lastUses, context)
        let seed = try seeds.buffer(program.outputCells(values, inputs, range), range, isLeft: isLeft)
        return ReversePass(
            program, plan, values: values, inputs: inputs, range: range, cotangents: cotangents, seeds: seed, isCotangentMajor: !isFull)
    }

    /// The entries of two blocks of points.
    private func tile(_ rows: Range<Int>, _ columns: Range<Int>, isDiagonal: Bool) throws {
        var passes = [try pass(left, rows, isLeft: true)]
        if !isDiagonal { passes.append(try pass(right, columns, isLeft: false)) }
        let each = isFull ? cotangents * cotangents : question.outputs == .diagonal ? cotangents : 1
        let entries = rows.count * columns.count * each
        let tiles = kernels.map { _ in Buffer(F.self, count: entries) }
        for tile in tiles { tile.cells(F.self, entries).fill(0) }
        var pending = plan.pending
        var uses = plan.structured.mapValues { $0.uses.count }
        func settle(_ root: Wire) throws {
            pending[root] -= 1
            guard pending[root] == 0 else { return }
            if let share = shareOf[root] {
                try contract(root, passes, tiles[share].cells(F.self, entries))
            } else if let step = plan.maker[root] {
                for index in passes.indices { try passes[index].walkStatic(step, context) }
                for input in program.staticSteps[step].inputs.compactMap({ $0 }) where plan.wants[input] { try settle(input) }
            }
            for index in passes.indices { passes[index].dropCotangent(root) }
        }
        for index in program.steps.indices.reversed() where plan.isActive[index] {
            for side in passes.indices { try passes[side].walk(index, context) }
            for root in program.steps[index].inputs.compactMap({ $0 }) where plan.wants[root] && !program.values[root].isSampled {
                guard let parameter = plan.structuredRoots[root] else {
                    try settle(root)
                    continue
                }
                uses[parameter, default: 0] -= 1
                guard uses[parameter] == 0, let share = shareOf[parameter] else { continue }
                try contractFactors(parameter, passes, tiles[share].cells(F.self, entries))
                for side in passes.indices { passes[side].dropFactors(parameter) }
            }
        }
        for (tile, kernel) in zip(tiles, kernels) { store(tile.cells(F.self, entries), rows, columns, isDiagonal: isDiagonal, kernel) }
    }

    /// Adds the product of two Jacobian blocks [rows, count].
    private func contract(_ root: Wire, _ passes: [ReversePass<F>], _ target: Cells<F>) throws {
        let (a, b) = (passes[0], passes[passes.count - 1])
        guard let leftBuffer = a.buffers[root], let rightBuffer = b.buffers[root] else { return }
        let count = program.values[root].type.count
        let k = cotangents
        let (x, y) = (leftBuffer.cells(F.self, a.rows * count), rightBuffer.cells(F.self, b.rows * count))
        // (rows, columns, inner extent, distance of rows, start of the operand and of the target), one product each.
        let products: [(m: Int, n: Int, inner: Int, stride: Int, start: Int, target: Int)] =
            if isFull {
                [(a.rows, b.rows, count, count, 0, 0)]
            } else if question.outputs == .diagonal {
                (0..<k).map { (a.samples, b.samples, count, k * count, $0 * count, $0 * a.samples * b.samples) }
            } else {
                [(a.samples, b.samples, k * count, k * count, 0, 0)]
            }
        for product in products {
            let height = 32
            let pieces = (product.m + height - 1) / height
            let (n, inner, stride) = (product.n, product.inner, product.stride)
            if context.isCancelled() { throw CancellationError() }
            try context.executor.forEach(pieces) { piece in
                let top = piece * height
                let (source, other) = (x.from(product.start + top * stride), y.from(product.start))
                unsafe F.gemmTransposed(
                    min(height, product.m - top), n, inner, alpha: 1, source.base, stride, other.base, stride, beta: 1,
                    target.from(product.target + top * n).base, n)
            }
        }
    }

    /// Adds the terms of all pairs of a parameter's uses.
    private func contractFactors(_ parameter: Wire, _ passes: [ReversePass<F>], _ target: Cells<F>) throws {
        let (a, b) = (passes[0], passes[passes.count - 1])
        func side(_ pass: ReversePass<F>, _ factors: ReversePass<F>.FactorBuffers, _ cotangent: Int?) -> GramContraction<F>.Side {
            let each = factors.use.products.positions * factors.use.products.rowExtent
            let shift = (cotangent ?? 0) * pass.samples * each * MemoryLayout<F>.stride
            return .init(
                use: factors.use, samples: pass.samples, cotangents: cotangent == nil ? cotangents : 1, sample: factors.sample.address,
                row: factors.row.address + UInt(shift))
        }
        for left in a.factors[parameter] ?? [] {
            for right in b.factors[parameter] ?? [] {
                if isFull {
                    try GramContraction(left: side(a, left, nil), right: side(b, right, nil), target: target).add(context)
                    continue
                }
                for cotangent in 0..<cotangents {
                    let start = question.outputs == .diagonal ? cotangent * a.samples * b.samples : 0
                    try GramContraction(
                        left: side(a, left, cotangent), right: side(b, right, cotangent),
                        target: target.from(start, a.samples * b.samples)
                    ).add(context)
                }
            }
        }
    }

    /// Writes a tile into the kernel, and its transpose where the points are the same.
    private func store(_ tile: Cells<F>, _ rows: Range<Int>, _ columns: Range<Int>, isDiagonal: Bool, _ kernel: Storage<F>) {
        let (k, n2) = (cotangents, right.count)
        let target = unsafe Cells<F>(address: UInt(bitPattern: kernel.base), count: kernel.count)
        let entries = seeds.entries(question)
        let factor: F = question.outputs == .mean && question.functional == nil ? 1 / F(k) : 1
        let mirrors = isSymmetric && !isDiagonal
        for i in 0..<rows.count {
            for j in 0..<columns.count {
                let place = ((rows.lowerBound + i) * n2 + columns.lowerBound + j) * entries
                let mirrored = ((columns.lowerBound + j) * n2 + rows.lowerBound + i) * entries
                for entry in 0..<entries {
                    let (o, p) = (entry / k, entry % k)
                    let value =
                        if isFull {
                            tile[(i * k + o) * columns.count * k + j * k + p]
                        } else if question.outputs == .diagonal {
                            tile[(entry * rows.count + i) * columns.count + j]
                        } else {
                            factor * tile[i * columns.count + j]
                        }
                    target[place + entry] = value
                    if mirrors { target[mirrored + (isFull ? p * k + o : entry)] = value }
                }
            }
        }
    }
}
