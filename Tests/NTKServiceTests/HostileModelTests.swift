import Foundation
import HTTPTypes
import NTKService
import Testing

/// Model files that would cost more than they are worth: each is refused, and nothing like their shapes and turns is ever made.
struct HostileModelTests {
    private typealias W = ModelWriter

    private static func chain(_ count: Int) -> [UInt8] {
        var graph: [UInt8] = []
        for index in 0..<count { graph += W.node("Relu", [index == 0 ? "x" : "v\(index)"], [index == count - 1 ? "y" : "v\(index + 1)"]) }
        return W.model(graph + W.port(11, "x", [nil, 2]) + W.port(12, "y", [nil, 2]))
    }

    private static let body =
        W.node("Identity", ["c"], ["d"]) + W.node("Add", ["v", "v"], ["w"]) + W.port(11, "i", [], type: 7) + W.port(11, "c", [], type: 9)
        + W.port(11, "v", [1, 2]) + W.port(12, "d", [], type: 9) + W.port(12, "w", [1, 2])

    private static let files: [String: [UInt8]] = [
        "cycle":
            W.model(W.node("Add", ["x", "b"], ["a"]) + W.node("Relu", ["a"], ["b"]) + W.port(11, "x", [nil, 2]) + W.port(12, "b", [nil, 2])),
        "own input": W.model(W.node("Add", ["x", "y"], ["y"]) + W.port(11, "x", [nil, 2]) + W.port(12, "y", [nil, 2])),
        "many nodes": chain(1_000_000),
        "vast shape":
            W.model(
                W.node("Expand", ["x", "s"], ["y"]) + W.integers("s", [2], [1, Int.max]) + W.port(11, "x", [nil, 1]) + W.port(12, "y", [nil, 1])),
        "vast input": W.model(W.node("Relu", ["x"], ["y"]) + W.port(11, "x", [nil, Int.max, Int.max]) + W.port(12, "y", [nil, 1])),
        "vast constant":
            W.model(
                W.node("ConstantOfShape", ["s"], ["c"]) + W.node("Add", ["x", "c"], ["y"]) + W.integers("s", [2], [1 << 20, 1 << 20])
                    + W.port(11, "x", [nil, 2]) + W.port(12, "y", [nil, 2])),
        "tensor that is not there":
            W.model(
                W.node("Add", ["x", "w"], ["y"]) + W.field(5, W.field(1, Int.max) + W.field(2, 1) + W.field(8, "w")) + W.port(11, "x", [nil, 2])
                    + W.port(12, "y", [nil, 2])),
        "endless loop":
            W.model(
                W.node("Loop", ["n", "t", "x"], ["y"], W.attribute("body", graph: body)) + W.integers("n", [], [1_000_000_000])
                    + W.field(5, W.field(2, 9) + W.field(8, "t") + W.field(9, [1])) + W.port(11, "x", [nil, 2]) + W.port(12, "y", [nil, 2])),
        "vast range":
            W.model(
                W.node("Range", ["a", "b", "c"], ["r"]) + W.node("Cast", ["r"], ["f"], W.attribute("to", 1)) + W.node("Add", ["x", "f"], ["y"])
                    + W.integers("a", [], [0]) + W.integers("b", [], [Int.max]) + W.integers("c", [], [1]) + W.port(11, "x", [nil, 2])
                    + W.port(12, "y", [nil, 2])),
        "many numbers": W.model(W.field(5, W.field(2, 7) + W.field(8, "w") + W.field(7, [UInt8](repeating: 1, count: 40 << 20)))),
    ]

    // By its name: arguments are printed.
    @Test(arguments: files.keys.sorted()) func isRefused(_ name: String) async throws {
        let (client, file) = (ServiceClient(), try #require(Self.files[name]))
        for answer in [
            try await client.postModel(file), try await client.post("/v1/empirical-kernels", "{\"x1\":[[1,2]]}", [("network.onnx", file)]),
        ] {
            #expect((400..<500).contains(answer.status), "\(name): \(answer.text.prefix(300))")
        }
    }
}
