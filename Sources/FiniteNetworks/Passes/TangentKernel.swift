public import LinearAlgebra

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
    @specialized(where F == Double)
    @specialized(where F == Float)
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
    private var isFull: Bool { question.isFull }

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
        plan = try program.plan(left.count, right?.count, question)
        let parameters = plan.parameters
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
            byGrams: program.parameters.filter { plan.isByGrams($0.wire) }.map(\.name))
    }

    mutating func run() throws {
        guard left.count > 0, right.count > 0, !plan.parameters.isEmpty, cotangents > 0 else { return }
        let block = program.cost(plan, left.count, isSymmetric ? nil : right.count, question, blockBytes: context.blockBytes).block
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
        defer { withExtendedLifetime(values) {} }
        let seed = try seeds.buffer(program.outputCells(values, inputs, range), range, isLeft: isLeft)
        return ReversePass(
            program, plan, values: values, inputs: inputs, range: range, cotangents: cotangents, seeds: seed, isCotangentMajor: !isFull)
    }

    /// The entries of two blocks of points.
    private func tile(_ rows: Range<Int>, _ columns: Range<Int>, isDiagonal: Bool) throws {
        var passes = [try pass(left, rows, isLeft: true)]
        defer { withExtendedLifetime((passes, self)) {} }
        if !isDiagonal { passes.append(try pass(right, columns, isLeft: false)) }
        let each = isFull ? cotangents * cotangents : question.isDiagonal ? cotangents : 1
        let entries = rows.count * columns.count * each
        let tiles = kernels.map { _ in Buffer(F.self, count: entries) }
        defer { withExtendedLifetime(tiles) {} }
        for tile in tiles { tile.cells(F.self, entries).fill(0) }
        var pending = plan.pending
        var uses = plan.structured.mapValues { $0.weight.uses.count }
        // One cotangent fewer is awaited; where none is, it goes on to what the constant is made of. A list, for chains may be long.
        func settle(_ first: Wire) throws {
            var roots = [first]
            while let root = roots.popLast() {
                pending[root] -= 1
                guard pending[root] == 0 else { continue }
                if let share = shareOf[root] {
                    try contract(root, passes, tiles[share].cells(F.self, entries))
                } else if let step = plan.maker[root] {
                    for index in passes.indices { try passes[index].walkStatic(step, context) }
                    roots += program.staticSteps[step].inputs.compactMap { $0 }.filter { plan.wants[$0] }
                }
                for index in passes.indices { passes[index].dropCotangent(root) }
            }
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
        for (tile, kernel) in zip(tiles, kernels) { try store(tile.cells(F.self, entries), rows, columns, isDiagonal: isDiagonal, kernel) }
    }

    private func products(_ passes: [ReversePass<F>]) -> BlockProducts<F> {
        BlockProducts(
            form: isFull ? .full : question.isDiagonal ? .diagonal : .trace, cotangents: cotangents, left: passes[0].samples,
            right: passes[passes.count - 1].samples, isSame: passes.count == 1)
    }

    /// Adds the product of two Jacobian blocks [rows, count].
    private func contract(_ root: Wire, _ passes: [ReversePass<F>], _ target: Cells<F>) throws {
        let (a, b) = (passes[0], passes[passes.count - 1])
        guard let left = a.buffers[root], let right = b.buffers[root] else { return }
        let count = program.values[root].type.count
        try products(passes).add(left.cells(F.self, a.rows * count), right.cells(F.self, b.rows * count), count, target, context)
    }

    /// Adds the share of a weight from the factors of its uses.
    private func contractFactors(_ parameter: Wire, _ passes: [ReversePass<F>], _ target: Cells<F>) throws {
        guard let (weight, way) = plan.structured[parameter] else { return }
        func sides(_ pass: ReversePass<F>) -> [KernelSide] {
            (pass.factors[parameter] ?? []).map { factors in
                let each = factors.use.products.positions * factors.use.products.rowExtent
                return KernelSide(
                    use: factors.use, samples: pass.samples, cotangents: cotangents, sample: factors.sampleAddress, row: factors.row.address,
                    isPlanar: factors.isPlanar, sampleStride: factors.isCotangentMajor ? each : cotangents * each,
                    cotangentStride: factors.isCotangentMajor ? pass.samples * each : each)
            }
        }
        let (a, b) = (sides(passes[0]), sides(passes[passes.count - 1]))
        // A use that the outputs do not reach in this block has no factors.
        guard !a.isEmpty, !b.isEmpty else { return }
        let products = products(passes)
        if way == .channels {
            return try ChannelContraction(left: a[0], right: b[0], products: products).add(to: target, context)
        }
        let left = JoinedSides(a, F.self)
        let right = passes.count == 1 ? left : JoinedSides(b, F.self)
        defer { withExtendedLifetime((left, right)) {} }
        guard way == .grams else {
            return try GradientContraction(weight: weight, left: left.sides, right: right.sides, products: products).add(to: target, context)
        }
        try contractGrams(left.sides, right.sides, products, addsBias: weight.bias != nil, target)
    }

    private func contractGrams(
        _ a: [KernelSide], _ b: [KernelSide], _ products: BlockProducts<F>, addsBias: Bool, _ target: Cells<F>
    ) throws {
        let size = MemoryLayout<F>.stride
        for left in a {
            for right in b {
                if isFull {
                    try GramContraction(left: left, right: right, target: target, isLower: products.isSame, addsBias: addsBias).add(context)
                    continue
                }
                for cotangent in 0..<cotangents {
                    let start = question.isDiagonal ? cotangent * products.left * products.right : 0
                    try GramContraction(
                        left: left.only(cotangent, size: size), right: right.only(cotangent, size: size),
                        target: target.from(start, products.left * products.right), isLower: products.isSame, addsBias: addsBias
                    ).add(context)
                }
            }
        }
    }

    /// Writes a tile into the kernel, and its transpose where the points are the same.
    private func store(_ tile: Cells<F>, _ rows: Range<Int>, _ columns: Range<Int>, isDiagonal: Bool, _ kernel: Storage<F>) throws {
        let (k, n2) = (cotangents, right.count)
        let target = unsafe Cells<F>(address: UInt(bitPattern: kernel.base), count: kernel.count)
        let entries = seeds.entries(question)
        let factor: F = question.outputs == .mean && question.functional == nil ? 1 / F(k) : 1
        let mirrors = isSymmetric
        let (isFull, isDiagonalForm) = (isFull, question.isDiagonal)
        let (width, entryWidth) = (columns.count, columns.count * k)
        // Rows write places of their own, and their mirrors.
        try context.forEachRange(rows.count, operations: Double(columns.count * entries)) { range in
            for i in range {
                // Of a block with itself only the lower triangle is right; the rest is its mirror.
                for j in 0..<(isDiagonal ? i + 1 : columns.count) {
                    let place = ((rows.lowerBound + i) * n2 + columns.lowerBound + j) * entries
                    let mirrored = ((columns.lowerBound + j) * n2 + rows.lowerBound + i) * entries
                    guard isFull else {
                        for entry in 0..<entries {
                            let value = isDiagonalForm ? tile[(entry * rows.count + i) * width + j] : factor * tile[i * width + j]
                            target[place + entry] = value
                            if mirrors { target[mirrored + entry] = value }
                        }
                        continue
                    }
                    let isOwn = isDiagonal && i == j
                    for o in 0..<k {
                        let line = (i * k + o) * entryWidth + j * k
                        for p in 0..<k {
                            let value = isOwn && p > o ? tile[(i * k + p) * entryWidth + j * k + o] : tile[line + p]
                            target[place + o * k + p] = value
                            if mirrors { target[mirrored + p * k + o] = value }
                        }
                    }
                }
            }
        }
    }
}
