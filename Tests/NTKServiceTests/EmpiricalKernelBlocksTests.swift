import Foundation
import LinearAlgebra
import Synchronization
import TensorFormats
import Testing

@testable import Jobs
@testable import NTKService

/// Jobs of empirical kernels that are broken off.
final class EmpiricalKernelBlocksTests {
    private let directory = NSTemporaryDirectory() + "empirical-blocks-" + UUID().uuidString

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

        /// Loops that were run, of so many.
        func count(of loops: Int) -> Int { loops - left.load(ordering: .relaxed) }
    }

    @Test(arguments: [#""outputs":"mean""#, #""kinds":["nngp","ntk"],"layerwise":true,"precision":"float32""#, #""outputs":[3],"rows":2"#])
    func goesOnFromItsBlocks(more: String) throws {
        // Many outputs of points of many numbers: few of them go together.
        let network =
            #"{"architecture":{"type":"serial","layers":[{"type":"dense","width":2},{"type":"erf"},{"type":"dense","width":64}]},"initialization":{"seed":0}}"#
        func points(_ count: Int, _ seed: Int) -> String {
            let rows = (0..<count).map { point in
                "[" + (0..<10_000).map { ($0 * (point + seed)) % 97 == 0 ? "\(point % 5 + 1)" : "0" }.joined(separator: ",") + "]"
            }
            return "[\(rows.joined(separator: ","))]"
        }
        let isTwoSets = more.contains("rows")
        let text =
            isTwoSets
            ? #"{"network":\#(network),"x1":\#(points(70, 3)),"x2":\#(points(40, 7))}"# : #"{"network":\#(network),"x1":\#(points(150, 3)),\#(more)}"#
        var reader = try ObjectReader(JSONValue.parse(Array(text.utf8)), at: "")
        guard case .architecture(let source) = try reader.network("network", NetworkStore()) else { throw JSONError(.shape, at: "/network", text) }
        let request = try EmpiricalKernelRequest(reader, source)
        let counting = StoppingTiles(after: 1_000_000)
        let whole = try EmpiricalKernelEndpoint.answer(request, tiles: counting).pieces(as: .npz).flatMap { try $0.make() }
        let loops = counting.count(of: 1_000_000)

        let board = try JobBoard(directory: directory)
        let id = JobID.random()
        _ = try board.submit(id, target: "", contentType: "", fingerprint: "", requestID: "", request: [])
        let manifest = try #require(try board.manifest(id))
        func attempt(_ tiles: any TileExecutor) throws -> (answer: ComputedAnswer?, run: JobRun) {
            let run = try JobRun(id, manifest, board.store, after: board.store.state(id))
            return (try request.answer(in: run, on: tiles), run)
        }
        var answer: ComputedAnswer?
        var attempts = 0
        while answer == nil, attempts < 10 {
            attempts += 1
            do {
                let result = try attempt(StoppingTiles(after: loops * 2 / 3))
                answer = result.answer
                #expect(answer != nil, "the request is divided into blocks")
                // It begins where the last attempt was stopped.
                #expect(try #require(result.run.progressSteps.first) > 0.4)
            } catch is StoppingTiles.Stop {}
        }
        #expect(attempts == 2)
        #expect(try answer?.body.pieces(as: .npz).flatMap { try $0.make() } == whole)
        #expect(answer?.storedArrays == answer?.body.arrays.count)
        // What stands in the files is the answer, too.
        for (index, entry) in (answer?.body.arrays ?? []).enumerated() {
            let file = try #require(FileManager.default.contents(atPath: "\(directory)/\(id)/\(index).npy"))
            #expect(try Array(file) == entry.array.npyPieces.flatMap { try $0.make() })
        }
    }
}

extension JobRun {
    /// How far it had come at each report.
    fileprivate var progressSteps: [Double] { states(after: nil).map(\.progress).filter { $0 > 0 } }
}
