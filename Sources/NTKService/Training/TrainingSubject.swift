internal import LinearAlgebra
internal import NTK

/// A network that is trained on the points of a request, in either of the forms in which there are networks.
protocol TrainingSubject: Sendable {
    /// Its points, with the tangent kernel of the weights that it starts from.
    var training: any TrainingKernel { get }
    var test: (any TestKernel)? { get }
    var place: NetworkSource.Place { get }

    /// Reads the test points.
    /// - Returns: how many there are.
    mutating func readTest(_ reader: inout ObjectReader) throws(ProblemDetails) -> Int

    /// What is done before the first step.
    var startWork: Work { get }
    func stepWork(hasMomentum: Bool) -> Work
    /// The outputs at so many points.
    func outputsWork(points: Int) -> Work
    /// Bytes of what a run holds and works in, beside kernels and outputs.
    var runBytes: Int { get }

    /// - Parameter targets: [n, outputs].
    func begin(learningRate: Double, momentum: Double, targets: Matrix<Double>, on tiles: any TileExecutor) throws -> any TrainingRun
}

/// A training under way: full-batch gradient descent on ½ · mean over points and outputs of (f − y)².
protocol TrainingRun {
    var learningRate: Double { get }
    /// Steps that have been made.
    var step: Int { get }
    /// All that the next step needs.
    var state: [Storage<Double>] { get }
    /// ‖θ − θ₀‖ and that divided by ‖θ₀‖.
    var distance: (absolute: Double, relative: Double) { get }

    /// Makes one step.
    /// - Throws: `NetworkError.overflow` when the training diverges.
    mutating func advance(on tiles: any TileExecutor) throws
    /// Goes on from a state that another run of the same training had come to.
    mutating func resume(at step: Int, from state: [Storage<Double>]) throws

    func trainOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>
    /// Nil where there are no test points.
    func testOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>?
    /// All entries of the tangent kernel at the training points.
    func kernel(on tiles: any TileExecutor) throws -> Matrix<Double>
}

/// A network of an architecture.
struct ArchitectureSubject: TrainingSubject {
    private let trainingSet: NetworkTrainingSet
    private var testSet: NetworkTestSet?

    init(_ source: NetworkSource, _ reader: inout ObjectReader) throws(ProblemDetails) {
        trainingSet = try NetworkTrainingSet(source, &reader, points: "x_train", pattern: "pattern_train")
    }

    var training: any TrainingKernel { trainingSet }
    var test: (any TestKernel)? { testSet }
    var place: NetworkSource.Place { trainingSet.source.place }

    mutating func readTest(_ reader: inout ObjectReader) throws(ProblemDetails) -> Int {
        let read = try trainingSet.readTestSet(&reader, .beside)
        testSet = read
        return read.count
    }

    var startWork: Work { trainingSet.source.work(trainingSet.network) }
    func stepWork(hasMomentum: Bool) -> Work { NetworkTraining.stepWork(trainingSet.network, points: trainingSet.count, hasMomentum: hasMomentum) }
    func outputsWork(points: Int) -> Work { trainingSet.network.outputsWork(points: points) }
    var runBytes: Int {
        ((Count(trainingSet.network.parameterCount) * 6 + Count(trainingSet.count) * 3 * Count(trainingSet.network.valuesPerPoint)) * 8).value
    }

    func begin(learningRate: Double, momentum: Double, targets: Matrix<Double>, on tiles: any TileExecutor) throws -> any TrainingRun {
        Run(
            trainingSet: trainingSet, test: testSet, targets: targets,
            training: NetworkTraining(
                trainingSet.network, try trainingSet.source.values(trainingSet.network, on: tiles), learningRate: learningRate, momentum: momentum))
    }

    private struct Run: TrainingRun {
        let trainingSet: NetworkTrainingSet
        let test: NetworkTestSet?
        let targets: Matrix<Double>
        var training: NetworkTraining

        var learningRate: Double { training.learningRate }
        var step: Int { training.step }
        var state: [Storage<Double>] { training.state }
        var distance: (absolute: Double, relative: Double) { training.distance }

        mutating func advance(on tiles: any TileExecutor) throws {
            _ = try training.advance(trainingSet.x.values, targets, patterns: trainingSet.pattern, on: tiles)
        }

        mutating func resume(at step: Int, from state: [Storage<Double>]) { training.resume(at: step, from: state) }

        func trainOutputs(on tiles: any TileExecutor) throws -> Matrix<Double> { try outputs(trainingSet.x.values, trainingSet.pattern, on: tiles) }

        func testOutputs(on tiles: any TileExecutor) throws -> Matrix<Double>? {
            try test.map { try outputs($0.x, $0.pattern, on: tiles) }
        }

        private func outputs(_ x: Matrix<Double>, _ pattern: Matrix<Double>?, on tiles: any TileExecutor) throws -> Matrix<Double> {
            try trainingSet.network.outputs(x, parameters: training.parameters, patterns: pattern, as: Double.self, on: tiles)
        }

        func kernel(on tiles: any TileExecutor) throws -> Matrix<Double> {
            try EmpiricalKernel(trainingSet.network, training.parameters).ntk(
                trainingSet.x.values, patterns: trainingSet.pattern.map { ($0, nil) }, outputs: .full, as: Double.self, on: tiles
            ).kernel
        }
    }
}
