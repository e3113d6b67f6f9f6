import Foundation
import LinearAlgebra
import NTK
import TensorFormats
import TestSupport
import Testing

@testable import NTKService

/// Computations that are broken off, and go on from the blocks that were kept.
struct KeptBlocksTests {
    private static let conv = #"{"type":"conv","filter_shape":[3,3],"padding":"same","b_std":0.1}"#
    private static let cnn =
        #"{"architecture":{"type":"serial","layers":[\#(conv),{"type":"relu"},\#(conv),{"type":"relu"},{"type":"global_avg_pool"},{"type":"dense"}]}}"#
    private static let mlp = #"{"architecture":{"type":"mlp","depth":2,"b_std":0.1}}"#
    private static func list(_ matrix: Matrix<Double>) -> String {
        "[" + (0..<matrix.rows).map { "[" + matrix.row($0).map(\.description).joined(separator: ",") + "]" }.joined(separator: ",") + "]"
    }

    /// [n, 2, 2, 1].
    private static func images(_ n: Int, seed: UInt64) -> String {
        let images = Matrix<Double>.random(n, 4, seed: seed)
        return "["
            + (0..<n).map { image in
                let pixels = images.row(image)
                let rows = (0..<2).map { row in "[" + (0..<2).map { "[\(pixels[2 * row + $0])]" }.joined(separator: ",") + "]" }
                return "[" + rows.joined(separator: ",") + "]"
            }.joined(separator: ",") + "]"
    }

    private static func request(_ kernel: String, train: String, test: String, targets: Matrix<Double>, _ more: String = "") -> String {
        #"{"kernel":\#(kernel),"x_train":\#(train),"y_train":\#(list(targets)),"x_test":\#(test),"ridge":0.01\#(more)}"#
    }

    private static func answer<Task>(
        _ task: Task, _ endpoint: (Task, any TileExecutor) throws -> Answer, on tiles: any TileExecutor
    ) throws -> [UInt8] {
        try endpoint(task, tiles).pieces(as: .npz).flatMap { try $0.make() }
    }

    /// Breaks a computation off after each number of blocks and goes on; nothing is computed twice, no bit differs.
    private static func check<Task>(
        _ task: Task, _ endpoint: (Task, any TileExecutor) throws -> Answer, blockOperations: Double, names: Set<String>, stops: [Int]
    ) throws {
        let whole = try answer(task, endpoint, on: SerialTiles())
        let counter = StoppingKeeper(blockOperations: blockOperations)
        #expect(try answer(task, endpoint, on: KeepingTiles(SerialTiles(), keeper: counter)) == whole)
        let all = counter.computed
        #expect(Set(all) == names)
        for stop in stops {
            let keeper = StoppingKeeper(blockOperations: blockOperations)
            let (result, count) = try keeper.complete(stop: stop) { try answer(task, endpoint, on: $0) }
            #expect(result == whole && keeper.computed == all && count == (all.count - 1) / stop)
        }
    }

    private static func prediction(_ text: String) throws -> PredictionRequest {
        try PredictionRequest(JSONValue.parse(Array(text.utf8)), NetworkStore(), memoryBytes: 1 << 33)
    }

    @Test(arguments: [
        (#","covariance":"full""#, ["train-ntk", "test-train-ntk", "test-ntk"]),
        (#","covariance":"full","posterior":"ensemble""#, ["train-ntk", "test-train-ntk", "train-nngp", "test-train-nngp", "test-nngp"]),
    ])
    func convolutionalKernelsOfAPrediction(more: String, names: [String]) throws {
        let text = Self.request(
            Self.cnn, train: Self.images(36, seed: 1), test: Self.images(33, seed: 2), targets: .random(36, 2, seed: 3), more)
        try Self.check(try Self.prediction(text), PredictionEndpoint.answer, blockOperations: 1, names: Set(names), stops: [3])
    }

    /// Equal points are merged before the kernel is computed.
    @Test func kernelsOfPointsThatAreEqual() throws {
        let points = Matrix<Double>.random(80, 3, seed: 4)
        let train = Matrix(stacking: [points, points.rows([3, 5, 70])])
        let text = Self.request(
            Self.mlp, train: Self.list(train), test: Self.list(.random(50, 3, seed: 5)), targets: .random(83, 1, seed: 6),
            #","covariance":"diagonal""#)
        try Self.check(
            try Self.prediction(text), PredictionEndpoint.answer, blockOperations: 1, names: ["train-ntk", "test-train-ntk"], stops: [1, 3])
    }

    @Test func conjugateGradients() throws {
        let text = Self.request(
            Self.mlp, train: Self.list(.random(300, 5, seed: 7)), test: Self.list(.random(40, 5, seed: 8)), targets: .random(300, 2, seed: 9),
            #","solver":"conjugate_gradient""#)
        let task = try Self.prediction(text)
        #expect(task.fit.isIterative)
        try Self.check(
            task, PredictionEndpoint.answer, blockOperations: 1,
            names: ["packed", "conjugate-gradient", "products", "tile", "test-train-ntk"], stops: [7, 100])
    }

    @Test func spectraAndDynamics() throws {
        let (x, y) = (Self.list(.random(70, 2, seed: 13)), Self.list(.random(70, 1, seed: 14)))
        let spectrum = try SpectrumRequest(JSONValue.parse(Array(#"{"kernel":\#(Self.mlp),"x":\#(x)}"#.utf8)), NetworkStore())
        try Self.check(spectrum, SpectrumEndpoint.answer, blockOperations: 1, names: ["train-ntk"], stops: [2])
        let dynamics = try DynamicsRequest(
            JSONValue.parse(Array(#"{"kernel":\#(Self.mlp),"x_train":\#(x),"y_train":\#(y),"x_test":\#(x),"times":[1,10]}"#.utf8)), NetworkStore())
        try Self.check(dynamics, DynamicsEndpoint.answer, blockOperations: 1, names: ["train-ntk", "test-train-ntk"], stops: [2])
    }

    @Test(arguments: ["0", "0.9"])
    func trainings(momentum: String) throws {
        let network =
            #"{"architecture":{"type":"serial","layers":[{"type":"dense","width":5},{"type":"erf"},{"type":"dense","width":2}]},"initialization":{"seed":1}}"#
        let (x, y) = (Self.list(.random(6, 2, seed: 15)), Self.list(.random(6, 2, seed: 16)))
        for (steps, legs) in [("0,1,5,30,31,200", 2...), ("40", 2...), ("0", 1...)] {
            let text =
                #"{"network":\#(network),"x_train":\#(x),"y_train":\#(y),"x_test":\#(Self.list(.random(3, 2, seed: 17))),"y_test":\#(Self.list(.random(3, 2, seed: 18))),"steps":[\#(steps)],"momentum":\#(momentum)}"#
            let task = try TrainingRequest(JSONValue.parse(Array(text.utf8)), NetworkStore())
            let ends = task.legs(stateBytes: 1_000, blockOperations: 1)
            #expect(legs.contains(ends.count) && ends.last == task.steps.last && zip(ends, ends.dropFirst()).allSatisfy { $0 < $1 })
            // A state of a gigabyte is kept once, which is not worth it.
            #expect(task.legs(stateBytes: 1 << 30, blockOperations: 1).count <= 2)
            try Self.check(
                task, TrainingEndpoint.answer, blockOperations: 1, names: ends.count > 1 ? ["training"] : [], stops: ends.count > 1 ? [1, 5] : [])
        }
    }

    @Test func convergence() throws {
        let text =
            #"{"architecture":{"type":"mlp","depth":1},"x":\#(Self.list(.random(4, 2, seed: 19))),"widths":[4,8,16],"samples":5,"precision":"float32"}"#
        try Self.check(
            ConvergenceRequest(JSONValue.parse(Array(text.utf8))), ConvergenceEndpoint.answer, blockOperations: 1,
            names: ["samples-4", "samples-8", "samples-16"], stops: [1, 4])
    }

    /// What is as soon computed again is not worth keeping: one block, or entries that take less than to write them does, if not very many.
    @Test func whatIsShortIsNotKept() throws {
        let text = Self.request(
            Self.mlp, train: Self.list(.random(100, 3, seed: 1)), test: Self.list(.random(50, 3, seed: 2)), targets: .random(100, 1, seed: 3))
        for (solver, blockOperations) in [("", 1.6e10), ("", 1e5), (#","solver":"conjugate_gradient""#, 1.6e10)] {
            let task = try Self.prediction(String(text.dropLast()) + solver + "}")
            #expect((1e6...4e7).contains(2 * task.fit.training.gramWork.equivalentOperations))
            let keeper = StoppingKeeper(blockOperations: blockOperations)
            let whole = try Self.answer(task, PredictionEndpoint.answer, on: SerialTiles())
            #expect(try Self.answer(task, PredictionEndpoint.answer, on: KeepingTiles(SerialTiles(), keeper: keeper)) == whole)
            #expect(keeper.computed.isEmpty)
        }
    }
}
