import Foundation
import LinearAlgebra
import Synchronization
import TensorFormats
import Testing

@testable import Jobs
@testable import NTKService

/// Jobs of kernels of networks from files: blocks make the whole, and go on where they were broken off.
final class ModelKernelBlocksTests {
    private let directory = NSTemporaryDirectory() + "model-blocks-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Stops at one of its loops.
    private final class StoppingTiles: TileExecutor {
        struct Stop: Error {}

        let left: Atomic<Int>

        init(after loops: Int) { left = Atomic(loops) }

        func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
            guard left.subtract(1, ordering: .relaxed).newValue >= 0 else { throw Stop() }
            try SerialTiles().forEach(count, body)
        }

        func count(of loops: Int) -> Int { loops - left.load(ordering: .relaxed) }
    }

    @Test(arguments: [
        #""outputs":"full""#, #""outputs":"diagonal","kinds":["nngp","ntk"]"#, #""outputs":[1,0],"layerwise":true,"precision":"float32""#,
        #""x2":[[0.5,0.5],[0.1,-0.9],[0.3,0.2]]"#, #""outputs":{"functional":"log_odds","labels1":[0,1,1,0,1]},"exclude":["b"]"#,
    ])
    func goesOnFromItsBlocks(_ more: String) throws {
        let text = #"{"x1":[[0.2,0.1],[-0.1,0.3],[0.7,-0.4],[1,1],[-0.6,0.2]],\#(more)}"#
        let file = try ModelFile(
            FileContent(bytes: ModelWriter.small, range: 0..<ModelWriter.small.count), at: .pointer("/network"))
        var reader = try ObjectReader(JSONValue.parse(Array(text.utf8)), at: "")
        let task = try Allowance.$current.withValue(Allowance(1 << 30)) { try file.task(&reader, ModelKernel<Double>.read, ModelKernel<Float>.read) }
        func blocks(_ run: JobRun, _ tiles: any TileExecutor) throws -> ComputedAnswer? {
            if let task = task as? ModelKernel<Double> { return try task.answer(in: run, side: 2, on: tiles) }
            return try #require(task as? ModelKernel<Float>).answer(in: run, side: 2, on: tiles)
        }
        let board = try JobBoard(directory: directory)
        func job() throws -> (_ tiles: any TileExecutor) throws -> ComputedAnswer? {
            let id = JobID.random()
            _ = try board.submit(id, target: "", contentType: "", fingerprint: "", requestID: "", request: [])
            let manifest = try #require(try board.manifest(id))
            return { tiles in try blocks(JobRun(id, manifest, board.store, after: board.store.state(id)), tiles) }
        }
        let counting = StoppingTiles(after: 1_000_000)
        let answer = try #require(try job()(counting))
        let loops = counting.count(of: 1_000_000)
        let pieces = try answer.body.pieces(as: .json).flatMap { try $0.make() }
        #expect(answer.storedArrays == answer.body.arrays.count)
        // What one block makes, but for rounding.
        let whole = try JSONValue.parse(task.answer(on: SerialTiles()).pieces(as: .json).flatMap { try $0.make() })
        guard case .object(let one) = whole, case .object(let other) = try JSONValue.parse(pieces) else { throw JSONError(.shape, at: "", "") }
        #expect(one.members.map(\.key) == other.members.map(\.key))
        for name in ["ntk", "nngp"] {
            guard let a = try one[name]?.numericArray(at: name), let b = try other[name]?.numericArray(at: name) else { continue }
            let largest = a.elements.map(abs).max() ?? 0
            #expect(a.shape == b.shape && zip(a.elements, b.elements).allSatisfy { abs($0 - $1) <= 2e-6 * largest }, "\(name)")
        }
        // One that is broken off goes on, to the same bits.
        let broken = try job()
        #expect(throws: StoppingTiles.Stop.self) { _ = try broken(StoppingTiles(after: loops * 2 / 3)) }
        let rest = StoppingTiles(after: 1_000_000)
        let resumed = try #require(try broken(rest))
        #expect(rest.count(of: 1_000_000) < loops)
        #expect(try resumed.body.pieces(as: .json).flatMap { try $0.make() } == pieces)
    }
}
