import ONNX
import Testing

/// The wire format by hand: what is read, and what is refused with the place.
struct ONNXReaderTests {
    /// A field of a run of bytes.
    private func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] { varint(number << 3 | 2) + varint(bytes.count) + bytes }
    private func field(_ number: Int, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
    private func field(_ number: Int, _ value: Int) -> [UInt8] { varint(number << 3) + varint(value) }
    private func varint(_ value: Int) -> [UInt8] {
        var (rest, bytes): (UInt64, [UInt8]) = (UInt64(bitPattern: Int64(value)), [])
        repeat {
            bytes.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    private func tensor(_ name: String, type: Int, shape: [Int], _ content: [UInt8]) -> [UInt8] {
        shape.flatMap { field(1, $0) } + field(2, type) + field(8, Array(name.utf8)) + content
    }

    private func model(opset: Int = 18, _ graph: [UInt8]) -> [UInt8] { field(1, 10) + field(8, field(2, opset)) + field(7, graph) }

    @Test func readsNodesAndTensors() throws {
        let node =
            field(1, Array("x".utf8)) + field(1, Array("w".utf8)) + field(2, Array("y".utf8)) + field(4, Array("Mul".utf8))
            + field(5, field(1, Array("axis".utf8)) + field(3, -2) + field(20, 2))
        let raw: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 192]
        let file = model(field(1, node) + field(5, tensor("w", type: 1, shape: [2], field(9, raw))))
        let read = try ONNXModel(bytes: file)
        #expect(read.opset == 18)
        #expect(read.graph.nodes[0].operation == "Mul")
        #expect(read.graph.nodes[0].inputs == ["x", "w"])
        guard case .int(-2) = read.graph.nodes[0].attributes["axis"] else {
            Issue.record("axis")
            return
        }
        var numbers: [Double] = []
        read.graph.initializers[0].forEachReal { numbers.append($1) }
        #expect(numbers == [1, -2])
    }

    @Test func readsMetadata() throws {
        let entries = [("author", "me"), ("ntk.parameters", "a\nb.weight")].flatMap { key, value in
            field(14, field(1, Array(key.utf8)) + field(2, Array(value.utf8)))
        }
        #expect(try ONNXModel(bytes: model([]) + entries).metadata == ["author": "me", "ntk.parameters": "a\nb.weight"])
    }

    @Test(arguments: [(10, [UInt8]([0, 60, 0, 192]), [1, -2]), (16, [UInt8]([128, 63, 0, 192]), [1, -2])])
    func readsShortNumbers(_ type: Int, _ raw: [UInt8], _ expected: [Double]) throws {
        let read = try ONNXModel(bytes: model(field(5, tensor("w", type: type, shape: [2], field(9, raw)))))
        var numbers: [Double] = []
        read.graph.initializers[0].forEachReal { numbers.append($1) }
        #expect(numbers == expected)
    }

    @Test func refusesWhatItCannotRead() {
        let good = tensor("w", type: 1, shape: [1], field(9, [0, 0, 0, 0]))
        let files: [[UInt8]] = [
            [], [8], [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], model(opset: 10, []), model(opset: 24, []),
            model(field(5, tensor("w", type: 1, shape: [2], field(9, [0, 0, 0, 0])))),
            model(field(5, tensor("w", type: 1, shape: [Int.max, Int.max], field(9, [0, 0, 0, 0])))),
            model(field(5, tensor("w", type: 1, shape: [-1], field(9, [0, 0, 0, 0])))),
            model(field(5, tensor("w", type: 8, shape: [1], field(6, [65])))),
            model(field(5, good + field(14, 1))), model(field(15, [])), field(25, field(9, field(2, 30))) + model([]),
        ]
        for file in files { #expect(throws: ONNXError.self) { try ONNXModel(bytes: file) } }
        #expect(throws: Never.self) { try ONNXModel(bytes: model(field(5, good))) }
    }

    /// A function with inputs, a node that takes an attribute of it, a default, and a version of its own.
    @Test func readsFunctions() throws {
        let node = field(1, "x") + field(2, "y") + field(4, "Elu") + field(5, field(1, "alpha") + field(20, 1) + field(21, "slope"))
        let function =
            field(1, "Own") + field(4, "x") + field(5, "y") + field(7, node) + field(9, field(2, 17)) + field(10, "here")
            + field(11, field(1, "slope") + [21, 0, 0, 0, 63] + field(20, 1))
        let read = try #require(try ONNXModel(bytes: field(25, function) + model([])).functions.first)
        #expect(read.name == "Own" && read.domain == "here" && read.inputs == ["x"] && read.outputs == ["y"] && read.opset == 17)
        guard case .reference("slope")? = read.nodes.first?.attributes["alpha"], case .float(0.5)? = read.defaults["slope"] else {
            Issue.record("\(read)")
            return
        }
    }

    /// Graphs within graphs, each in an attribute of a node of the one around it.
    @Test func boundsDepth() {
        var graph: [UInt8] = []
        for _ in 0..<100 { graph = field(1, field(4, [73, 102]) + field(5, field(1, [98]) + field(6, graph))) }
        #expect(throws: ONNXError.tooLarge("graphs within graphs, deeper than 8")) { try ONNXModel(bytes: model(graph)) }
    }

    /// Every cut and many changed bytes of a file: an answer or an error, never a trap.
    @Test func survivesDamage() throws {
        let node = field(1, [120]) + field(2, [121]) + field(4, [65]) + field(5, field(1, [97]) + field(8, [1, 2, 3]) + field(20, 7))
        let file = model(field(1, node) + field(5, tensor("w", type: 1, shape: [1], field(4, [0, 0, 128, 63]))) + field(11, field(1, [120])))
        for end in file.indices { _ = try? ONNXModel(bytes: Array(file[..<end])) }
        for place in file.indices {
            for value in 0..<256 {
                var changed = file
                changed[place] = UInt8(value)
                if let model = try? ONNXModel(bytes: changed) { for tensor in model.graph.initializers { tensor.forEachReal { _, _ in } } }
            }
        }
    }
}
