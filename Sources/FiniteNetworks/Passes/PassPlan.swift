/// What a way back has to do for a choice of parameters: which values have cotangents, what the forward pass must keep, and when each can go.
package struct PassPlan: Sendable {
    /// Chosen parameters, by their place in the program.
    let parameters: [Int]
    /// Roots whose cotangents are wanted.
    let wants: [Bool]
    /// Roots that the forward pass keeps for the way back.
    let keeps: [Bool]
    /// Steps, by index, that the way back runs.
    let isActive: [Bool]
    /// The step that reads a root's values last on the way back; no step: Int.max.
    let lastReader: [Int]
    /// Edges of constants from which a cotangent comes: how many are yet to be walked.
    let pending: [Int]
    /// By root: the static step that makes it, if its cotangents go on to parameters.
    let maker: [Int: Int]
    let lastUses: [Int]
    /// Weights whose share is computed from factors, by root, and in which way.
    let structured: [Wire: (weight: StructuredWeight, way: Way)]

    /// Roots, such a parameter's own or its transpose's, whose cotangents stay factors: by root, the parameter's.
    let structuredRoots: [Wire: Wire]

    /// Who reads a constant: steps on the way back, with the input's place.
    struct Readers {
        var steps: [Wire: [(step: Int, place: Int)]] = [:]
        var staticSteps: [Wire: [(step: Int, place: Int)]] = [:]
    }

    /// How the share of each parameter is computed.
    package enum Way: Sendable, Equatable {
        /// Jacobian blocks [rows, parameters] and their product.
        case gradients
        /// Gram matrices of activations and of cotangents.
        case grams
        /// One gradient of each point and numbers of its rows, where a weight is separable.
        case channels
    }

    /// - Parameters:
    ///   - isForKernel: whether only inner products of gradients are wanted, so that their numbers may be at other places.
    ///   - mergesBiases: whether a bias may be computed with its weight, since nobody asks for the share of each.
    ///   - ways: of each weight that has factors; nil where its cotangents are wanted as they are.
    init<F>(
        _ program: NetworkProgram<F>, parameters: [Int], isForKernel: Bool = false, mergesBiases: Bool = false, ways: (StructuredWeight) -> Way?
    ) {
        self.parameters = parameters
        let values = program.values
        var depends = [Bool](repeating: false, count: values.count)
        for parameter in parameters { depends[program.parameters[parameter].wire] = true }
        func carry(_ step: Step) {
            guard step.operation.isDifferentiable, step.inputs.contains(where: { $0.map { depends[$0] } ?? false }) else { return }
            for root in step.outputs where values[root].type.isReal { depends[root] = true }
        }
        for step in program.staticSteps { carry(step) }
        for step in program.steps { carry(step) }
        var reaches = [Bool](repeating: false, count: values.count)
        reaches[values[program.output].root] = true
        func reach(_ step: Step) -> Bool {
            guard step.operation.isDifferentiable, step.outputs.contains(where: { reaches[$0] && depends[$0] }) else { return false }
            var isActive = false
            for root in step.inputs.compactMap({ $0 }) where depends[root] && values[root].type.isReal {
                reaches[root] = true
                isActive = true
            }
            return isActive
        }
        var active = [Bool](repeating: false, count: program.steps.count)
        for index in program.steps.indices.reversed() { active[index] = reach(program.steps[index]) }
        var staticActive = [Bool](repeating: false, count: program.staticSteps.count)
        for index in program.staticSteps.indices.reversed() { staticActive[index] = reach(program.staticSteps[index]) }
        var wants = values.indices.map { depends[$0] && reaches[$0] }

        var keeps = [Bool](repeating: false, count: values.count)
        var lastReader = [Int](repeating: .max, count: values.count)
        var pending = [Int](repeating: 0, count: values.count)
        var maker: [Int: Int] = [:]
        var readers = Readers()
        for index in program.steps.indices.reversed() where active[index] {
            let step = program.steps[index]
            let reads = step.operation.backwardReads
            var read = reads.results ? step.outputs : []
            for (place, root) in step.inputs.enumerated() {
                guard let root else { continue }
                if reads.inputs?.contains(place) ?? true { read.append(root) }
                guard wants[root], !values[root].isSampled else { continue }
                pending[root] += 1
                readers.steps[root, default: []].append((index, place))
            }
            for root in read where values[root].isSampled {
                keeps[root] = true
                lastReader[root] = index
            }
        }
        for index in program.staticSteps.indices where staticActive[index] {
            let step = program.staticSteps[index]
            for root in step.outputs where wants[root] { maker[root] = index }
            for (place, root) in step.inputs.enumerated() {
                guard let root, wants[root] else { continue }
                pending[root] += 1
                readers.staticSteps[root, default: []].append((index, place))
            }
        }
        let separable = SeparableCotangents(program, isActive: active, wants: wants)
        var structured: [Wire: (weight: StructuredWeight, way: Way)] = [:]
        var structuredRoots: [Wire: Wire] = [:]
        for parameter in parameters {
            let root = program.parameters[parameter].wire
            guard var weight = StructuredWeight(program, root: root, readers: readers, allowsRearranged: isForKernel) else { continue }
            weight.isSeparable = separable.areSo(behind: weight, program)
            guard let way = ways(weight) else { continue }
            if mergesBiases, way == .grams, let bias = Self.bias(of: weight, program, readers), depends[bias] {
                weight.bias = bias
                wants[bias] = false
                pending[bias] = 0
            }
            structured[root] = (weight, way)
            for use in weight.uses { structuredRoots[use.root] = root }
        }
        self.wants = wants
        self.keeps = keeps
        isActive = active
        self.lastReader = lastReader
        self.pending = pending
        self.maker = maker
        lastUses = program.lastUses()
        self.structured = structured
        self.structuredRoots = structuredRoots
    }

    /// The parameter that is added to a weight's products and to nothing else: its gradient is the sum of their cotangents over the terms.
    private static func bias<F>(of weight: StructuredWeight, _ program: NetworkProgram<F>, _ readers: Readers) -> Wire? {
        guard weight.uses.count == 1, let use = weight.uses.first, !use.products.isOneHot, use.products.rowIsCotangent,
            let product = program.steps[use.step].outputs.first, product != program.values[program.output].root
        else { return nil }
        let reading = program.steps.filter { $0.inputs.contains(product) }
        guard reading.count == 1, let sum = reading[0].operation as? BinaryOperation, sum.function == .add,
            let place = reading[0].inputs.firstIndex(of: product), let bias = reading[0].inputs[1 - place], bias != product,
            program.parameters.contains(where: { $0.wire == bias }), readers.staticSteps[bias] == nil, readers.steps[bias]?.count == 1,
            sum.repeats(1 - place, extent: use.products.rowExtent, isFirst: use.products.isPlanar)
        else { return nil }
        return bias
    }

    /// Elements of cotangents, of a row, that live at the same time, and bytes of values, of a sample, that the forward pass leaves.
    func peaks<F>(_ program: NetworkProgram<F>) -> (rowElements: Int, sampleBytes: Int) {
        var live = [Bool](repeating: false, count: program.values.count)
        var (elements, peak) = (0, 0)
        var waiting = pending
        func open(_ root: Wire) {
            guard !live[root] else { return }
            live[root] = true
            elements += program.values[root].type.count
            peak = max(peak, elements)
        }
        func close(_ root: Wire) {
            guard live[root] else { return }
            live[root] = false
            elements -= program.values[root].type.count
        }
        func settle(_ first: Wire) {
            var roots = [first]
            while let root = roots.popLast() {
                waiting[root] -= 1
                guard waiting[root] == 0 else { continue }
                if let index = maker[root] {
                    let inputs = program.staticSteps[index].inputs.compactMap { $0 }.filter { wants[$0] }
                    for input in inputs { open(input) }
                    roots += inputs
                }
                close(root)
            }
        }
        open(program.values[program.output].root)
        for index in program.steps.indices.reversed() where isActive[index] {
            let step = program.steps[index]
            for root in step.inputs.compactMap({ $0 }) where wants[root] && structuredRoots[root] == nil { open(root) }
            for root in step.inputs.compactMap({ $0 }) where wants[root] && !program.values[root].isSampled && structuredRoots[root] == nil {
                settle(root)
            }
            for root in step.outputs { close(root) }
        }
        var bytes = 0
        for (root, value) in program.values.enumerated() where keeps[root] { bytes += value.type.count * program.size(of: root) }
        return (peak, bytes + program.peakForwardBytes(lastUses))
    }
}
