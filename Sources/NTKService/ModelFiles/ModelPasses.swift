internal import ComputeExecutor
internal import FiniteNetworks
internal import LinearAlgebra

/// How passes over networks from files are run: on the workers, until they end or are cancelled.
enum ModelPasses {
    /// Bytes that the values and cotangents of a block of points may take.
    /// Blocks are walked again for each other block, so that few of them are wanted where there is memory.
    static let blockBytes = min(1 << 30, max(256 << 20, Machine.memoryBytes / 16))

    static func context(_ tiles: any TileExecutor) -> PassContext {
        PassContext(executor: tiles, blockBytes: blockBytes, isCancelled: { CurrentWork.isCancelled })
    }

    /// - Parameter steps: of the program, each of which has a price for each block.
    static func work(_ operations: Double, steps: Int, blocks: Int) -> Work {
        Work(.products, operations) + Work(.calls, 4 * Double(steps) * Double(max(blocks, 1))).onOneThread
    }

    static func outputsWork<F: NetworkScalar>(_ program: NetworkProgram<F>, points: Int) -> Work {
        work(Double(points) * program.forwardOperations, steps: program.stepCount, blocks: 1)
    }
}

extension CompiledModel {
    /// Does something of the program, and words what goes wrong.
    /// - Parameter points: what the request calls the points.
    func checked<Value>(points: String, _ make: () throws -> Value) throws -> Value {
        do { return try make() } catch let error as GraphError { throw file.problem(error, points: points) }
    }

    var overflow: ProblemDetails {
        .invalid(
            file.place.pointer(to: "/onnx"),
            "outputs and derivatives within the range of \(F.self == Float.self ? "float32" : "float64") expected; they overflow, or are no numbers"
                + (F.self == Float.self ? ": ask for float64, or scale the inputs" : ": scale the inputs"))
    }
}

extension Matrix where Element: NetworkScalar {
    /// Whether no element is infinite or none.
    var hasNumbersOnly: Bool {
        let elements = unsafe base
        for index in 0..<rows * columns where unsafe !elements[index].isFinite { return false }
        return true
    }
}
