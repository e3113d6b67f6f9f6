internal import LinearAlgebra

/// The way back of one block of points for the gradients of its parameters, each of which is handed on as soon as it is whole.
struct GradientWalk<F: NetworkScalar> {
    /// The gradient of a parameter by the rows of a block.
    enum Gradient {
        /// [rows] + the parameter's shape.
        case rows(Cells<F>)
        /// The factors of all uses of a weight.
        case factors(StructuredWeight, [KernelSide])
    }

    let program: NetworkProgram<F>
    let plan: PassPlan
    let context: PassContext

    /// - Parameter use: takes a parameter, by its place in the program, and its gradient; called once for each that the outputs reach.
    func run(_ pass: inout ReversePass<F>, _ use: (Int, Gradient) throws -> Void) throws {
        var pending = plan.pending
        var uses = plan.structured.mapValues { $0.weight.uses.count }
        let places = Dictionary(uniqueKeysWithValues: plan.parameters.map { (program.parameters[$0].wire, $0) })
        for index in program.steps.indices.reversed() where plan.isActive[index] {
            try pass.walk(index, context)
            for root in program.steps[index].inputs.compactMap({ $0 }) where plan.wants[root] && !program.values[root].isSampled {
                guard let parameter = plan.structuredRoots[root] else {
                    try settle(root, &pass, &pending, places, use)
                    continue
                }
                uses[parameter, default: 0] -= 1
                guard uses[parameter] == 0, let place = places[parameter], let weight = plan.structured[parameter]?.weight else { continue }
                let sides = sides(pass, parameter)
                if !sides.isEmpty { try use(place, .factors(weight, sides)) }
                pass.dropFactors(parameter)
            }
        }
    }

    /// One cotangent fewer is awaited; where none is, it goes on to what the constant is made of. A list, for chains may be long.
    private func settle(
        _ first: Wire, _ pass: inout ReversePass<F>, _ pending: inout [Int], _ places: [Wire: Int], _ use: (Int, Gradient) throws -> Void
    ) throws {
        var roots = [first]
        while let root = roots.popLast() {
            pending[root] -= 1
            guard pending[root] == 0 else { continue }
            if let place = places[root] {
                let count = pass.rows * program.values[root].type.count
                if let buffer = pass.buffers[root] { try use(place, .rows(buffer.cells(F.self, count))) }
            } else if let step = plan.maker[root] {
                try pass.walkStatic(step, context)
                roots += program.staticSteps[step].inputs.compactMap { $0 }.filter { plan.wants[$0] }
            }
            pass.dropCotangent(root)
        }
    }

    private func sides(_ pass: ReversePass<F>, _ parameter: Wire) -> [KernelSide] {
        (pass.factors[parameter] ?? []).map { factors in
            let each = factors.use.products.positions * factors.use.products.rowExtent
            return KernelSide(
                use: factors.use, samples: pass.samples, cotangents: pass.cotangents, sample: factors.sampleAddress, row: factors.row.address,
                isPlanar: factors.isPlanar, sampleStride: pass.cotangents * each, cotangentStride: each)
        }
    }
}

extension NetworkProgram {
    /// Points of a block of which each has one row, so that gradients of `plan` and what comes before them take no more than `blockBytes`.
    func gradientBlock(_ plan: PassPlan, points: Int, blockBytes: Int) -> (points: Int, bytesPerPoint: Int) {
        let (rowElements, sampleBytes) = plan.peaks(self)
        var factors = 0
        for (weight, _) in plan.structured.values {
            factors = max(
                factors, weight.uses.reduce(0) { $0 + $1.products.positions * ($1.products.sampleExtent + $1.products.rowExtent) })
        }
        let each = max(sampleBytes.addingClamped((rowElements + factors).multipliedClamped(by: MemoryLayout<F>.stride)), 1)
        return (max(1, min(points, blockBytes / each)), each)
    }
}
