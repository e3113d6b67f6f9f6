internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK

/// A network from a file that is trained: the chosen parameters move, and all else of the file stays as it is.
struct ModelSubject: TrainingSubject {
    private let trainingSet: ModelTrainingSet
    private var testSet: ModelTestSet?

    init(_ file: ModelFile, _ reader: inout ObjectReader) throws(ProblemDetails) {
        trainingSet = try ModelTrainingSet(file, &reader, points: "x_train")
    }

    var training: any TrainingKernel { trainingSet }
    var test: (any TestKernel)? { testSet }
    var place: NetworkSource.Place { trainingSet.compiled.file.place }
    private var program: NetworkProgram<Double> { trainingSet.compiled.program }

    mutating func readTest(_ reader: inout ObjectReader) throws(ProblemDetails) -> Int {
        let read = try trainingSet.readTest(&reader, points: "x_test")
        testSet = read
        return read.count
    }

    private var cost: (operations: Double, bytes: Int) {
        (try? program.gradientSumCost(trainingSet.count, parameters: trainingSet.parameters, blockBytes: ModelPasses.blockBytes)) ?? (0, 0)
    }

    private var parameterCount: Int { (try? program.parameterCount(trainingSet.parameters)) ?? 0 }

    var startWork: Work { Work(.memory, 32 * Double(parameterCount)).onOneThread }

    /// Forward, backward, the change of the parameters, and what is made of them alone.
    func stepWork(hasMomentum: Bool) -> Work {
        let cost = cost
        let blocks = (cost.bytes + ModelPasses.blockBytes - 1) / ModelPasses.blockBytes
        return ModelPasses.work(cost.operations, steps: program.stepCount, blocks: max(blocks, 1))
            + Work(.loops, (hasMomentum ? 60 : 40) * Double(parameterCount)).onOneThread
            + Work(.memory, 8 * Double(trainingSet.compiled.bytes)).onOneThread
    }

    func outputsWork(points: Int) -> Work { ModelPasses.outputsWork(program, points: points) }

    var runBytes: Int {
        cost.bytes.addingClamped(parameterCount.multipliedClamped(by: 64)).addingClamped(trainingSet.compiled.bytes)
            .addingClamped(testSet?.x.bytes ?? 0)
    }

    func begin(learningRate: Double, momentum: Double, targets: Matrix<Double>, on tiles: any TileExecutor) throws -> any TrainingRun {
        Run(trainingSet, test: testSet, targets: targets, learningRate: learningRate, momentum: momentum)
    }

    /// v ← μ v − η ∇L, θ ← θ + v.
    private struct Run: TrainingRun {
        let trainingSet: ModelTrainingSet
        let test: ModelTestSet?
        let targets: Matrix<Double>
        let learningRate: Double
        let momentum: Double
        let names: [String]
        let initial: NetworkParameters
        /// ‖θ₀‖ of all parameters, those that stay among them.
        let initialNorm: Double
        var program: NetworkProgram<Double>
        var parameters: NetworkParameters
        var velocity: NetworkParameters?
        var step = 0

        init(_ set: ModelTrainingSet, test: ModelTestSet?, targets: Matrix<Double>, learningRate: Double, momentum: Double) {
            (trainingSet, self.test, self.targets, self.learningRate, self.momentum) = (set, test, targets, learningRate, momentum)
            let (start, chosen) = (set.compiled.program, Set(set.parameters))
            let moving = start.parameters.filter { chosen.contains($0.name) }
            program = start
            names = moving.map(\.name)
            initial = NetworkParameters(values: moving.map { Matrix(rows: 1, columns: $0.count, start.numbers(of: $0)).storage })
            parameters = initial
            let all = start.parameters.filter { $0.countsByDefault || chosen.contains($0.name) }
            initialNorm = NetworkParameters(values: all.map { Matrix(rows: 1, columns: $0.count, start.numbers(of: $0)).storage }).norm
        }

        var state: [Storage<Double>] { parameters.values + (velocity?.values ?? []) }

        var distance: (absolute: Double, relative: Double) {
            let moved = parameters.adding(initial.scaled(by: -1)).norm
            return (moved, initialNorm > 0 ? moved / initialNorm : 0)
        }

        mutating func advance(on tiles: any TileExecutor) throws {
            let (targets, k) = (targets, targets.columns)
            let count = Double(targets.rows * k)
            let (_, gradient) = try checked(trainingSet.x.field) {
                try program.gradient(trainingSet.x.inputs, parameters: names, ModelPasses.context(tiles)) { outputs, range in
                    let differences = outputs.enumerated().map { place, output in
                        (output - targets[range.lowerBound + place / k, place % k]) / count
                    }
                    guard differences.allSatisfy({ ($0 * $0).isFinite }) else { throw NetworkError.overflow(precision: "float64") }
                    return differences
                }
            }
            let change = NetworkParameters(values: gradient).scaled(by: -learningRate)
            let velocity = velocity.map { $0.scaled(by: momentum).adding(change) } ?? change
            if momentum != 0 { self.velocity = velocity }
            try move(to: parameters.adding(velocity))
            step += 1
        }

        private mutating func move(to parameters: NetworkParameters) throws {
            self.parameters = parameters
            program = try checked(trainingSet.x.field) { try program.replacing(Array(zip(names, parameters.values).map { (name: $0, values: $1) })) }
        }

        mutating func resume(at step: Int, from state: [Storage<Double>]) throws {
            precondition(state.count == names.count || state.count == 2 * names.count)
            self.step = step
            velocity = state.count > names.count ? NetworkParameters(values: Array(state[names.count...])) : nil
            try move(to: NetworkParameters(values: Array(state[..<names.count])))
        }

        private func checked<Value>(_ points: String, _ make: () throws -> Value) throws -> Value {
            try trainingSet.compiled.checked(points: points, make)
        }

        private func finite(_ matrix: Matrix<Double>) throws -> Matrix<Double> {
            guard matrix.hasNumbersOnly else {
                if step == 0 { throw trainingSet.compiled.overflow }
                throw NetworkError.overflow(precision: "float64")
            }
            return matrix
        }

        private func outputs(_ points: ModelPoints, on tiles: any TileExecutor) throws -> Matrix<Double> {
            let outputs = try checked(points.field) { try program.outputs(points.inputs, ModelPasses.context(tiles)) }
            return try finite(Matrix(rows: points.count, columns: program.outputCount, outputs))
        }

        func trainOutputs(on tiles: any TileExecutor) throws -> Matrix<Double> { try outputs(trainingSet.x, on: tiles) }
        func testOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>? { try test.map { try outputs($0.x, on: tiles) } }

        func kernel(on tiles: any TileExecutor) throws -> Matrix<Double> {
            let kernel = try checked(trainingSet.x.field) {
                try program.tangentKernel(trainingSet.x.inputs, nil, trainingSet.question, ModelPasses.context(tiles))
            }
            let numbers = kernel.shares[0].numbers
            return try finite(Matrix(rows: trainingSet.count, columns: numbers.count / max(trainingSet.count, 1), storage: numbers))
        }
    }
}
