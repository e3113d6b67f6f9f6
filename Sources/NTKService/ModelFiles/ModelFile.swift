internal import ArtifactStore
internal import FiniteNetworks
internal import HTTPTypes
internal import LinearAlgebra
internal import ONNX
internal import TensorFormats

/// A network as it comes in a model file (ONNX). It becomes a program when the shapes of its points are known.
struct ModelFile: Sendable {
    let file: FileContent
    let model: ONNXModel
    /// Where the network stands in the request, or its id.
    let place: NetworkSource.Place
    /// Of a stored one its id, and where its programs are kept.
    private let kept: (id: ArtifactID, programs: ModelPrograms)?

    /// Reads the file's graph; its numbers stay where they are.
    init(_ file: FileContent, at place: NetworkSource.Place) throws(ProblemDetails) {
        self.file = file
        self.place = place
        kept = nil
        do { model = try ONNXModel(bytes: file.bytes, in: file.range, limits: Self.limits) } catch {
            throw ProblemDetails(error, at: place.pointer(to: "/onnx"), kind: FileKind.name(file.bytes[file.range]))
        }
    }

    /// A network of a request that is a model file: `{"onnx": …}`, as the part `network.onnx` makes it; nil for another.
    init?(_ value: JSONValue, at pointer: String) throws(ProblemDetails) {
        guard case .object(let object) = value, let onnx = object["onnx"] else { return nil }
        guard case .file(let file) = onnx else {
            throw .invalid("\(pointer)/onnx", "a model file as a part of a multipart/form-data body expected; \(onnx.kindName) came")
        }
        for (key, _) in object.members where !key.isSame(as: "onnx") {
            throw .invalid("\(pointer)/\(key.jsonPointerToken)", "no other field beside a model file expected")
        }
        try self.init(file, at: .pointer(pointer))
    }

    private init(_ other: ModelFile, at place: NetworkSource.Place, _ kept: (id: ArtifactID, programs: ModelPrograms)?) {
        (file, model, self.place, self.kept) = (other.file, other.model, place, kept)
    }

    /// The same network, named by its id somewhere in a request.
    func stored(at pointer: String, id: String, _ programs: ModelPrograms) -> ModelFile {
        ModelFile(self, at: .stored(pointer: pointer, id: id), NetworkStore.id(id).map { ($0, programs) })
    }

    // MARK: Memory

    /// A model has few numbers that are not in `raw_data`, and few nodes beside its weights.
    private static let limits: ONNXLimits = {
        var limits = ONNXLimits()
        limits.nodes = 100_000
        limits.items = 500_000
        limits.unpackedBytes = 128 << 20
        return limits
    }()

    /// Bytes that the graph of a file of so many bytes takes beside the file at the most: texts and records of what a few bytes name, and
    /// numbers that stand one by one.
    static func readingBytes(_ count: Int) -> Int {
        min(count.multipliedClamped(by: 64), 64 << 20) + min(count.multipliedClamped(by: 8), limits.unpackedBytes)
    }

    /// Bytes that the file's own tensors take in a program, beside the file: none where they are read as they stand there.
    func constantBytes<F: NetworkScalar>(_: F.Type) -> Int {
        model.graph.initializers.reduce(0) {
            let size = GraphNetwork.staysInFile($1, F.self) ? 0 : $1.type.isReal ? MemoryLayout<F>.size : 8
            return $0.addingClamped($1.count.multipliedClamped(by: size))
        }
    }

    /// Bytes that it takes while it is stored in memory.
    var storedBytes: Int { file.range.count.addingClamped(Self.readingBytes(file.range.count) / 8) }

    // MARK: Identity

    /// By the bytes of the file.
    var id: ArtifactID {
        var hash = ContentHash()
        hash.update("onnx\n")
        unsafe file.bytes.withUnsafeBytes { bytes in unsafe hash.update(UnsafeRawBufferPointer(rebasing: bytes[file.range]).bytes) }
        return hash.finish()
    }

    // MARK: Programs

    /// What the network takes and gives.
    func network(output: String?, outputPointer: String = "/output", _ limits: GraphLimits = GraphLimits()) throws(ProblemDetails) -> GraphNetwork {
        if let output, !model.graph.outputs.contains(where: { $0.name.isSame(as: output) }) {
            let names = model.graph.outputs.map { "\"\($0.name.prefix(80))\"" }.joined(separator: ", ")
            throw .invalid(outputPointer, "an output of the network expected, \(names); \"\(output.prefix(80))\" came")
        }
        do { return try GraphNetwork(model, output: output, limits: limits) } catch { throw problem(error) }
    }

    /// Compiles the network for points of these shapes, within the memory of the request that is read, and never on an event loop.
    /// - Parameter points: what the request calls the points.
    func program<F: NetworkScalar>(
        _: F.Type, output: String?, outputPointer: String, shapes: [String: [Int]], points: String
    ) throws(ProblemDetails) -> CompiledModel<F> {
        let key = kept.map { ModelPrograms.Key(id: $0.id, output: output, shapes: shapes, isFloat32: F.self == Float.self) }
        if let key, let known: ModelPrograms.Entry<F> = kept?.programs[key] {
            return CompiledModel(file: self, network: known.network, program: known.program, bytes: known.bytes)
        }
        let meter = try ModelMeter(constantBytes(F.self))
        let network = try network(output: output, outputPointer: outputPointer, meter.limits)
        do {
            let program = try network.program(F.self, shapes: shapes)
            if let key {
                let entry = ModelPrograms.Entry(network: network, program: program, bytes: meter.bytes)
                kept?.programs.insert(entry, bytes: storedBytes.addingClamped(meter.bytes), for: key)
            }
            return CompiledModel(file: self, network: network, program: program, bytes: meter.bytes)
        } catch {
            if let problem = meter.problem { throw problem }
            throw problem(error, points: points)
        }
    }

    /// - Parameter points: where the request has the points.
    func problem(_ error: GraphError, points: String = "") -> ProblemDetails {
        let pointer = error.reason == .points && !points.isEmpty ? "/\(points)" : place.pointer(to: "/onnx")
        guard error.reason == .tooLarge else { return .invalid(pointer, error.sentence) }
        return .overSize(pointer, error.sentence)
    }
}

/// A network from a file, compiled for the shapes of its points in one precision.
struct CompiledModel<F: NetworkScalar>: Sendable {
    let file: ModelFile
    let network: GraphNetwork
    let program: NetworkProgram<F>
    /// Of its constants.
    let bytes: Int
}

extension ProblemDetails {
    /// What a file or a graph has more of than may be: 422.
    static func overSize(_ pointer: String, _ detail: String) -> ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .overLimit, title: "The request is larger than one request may be",
            detail: pointer.isEmpty ? detail : "\(pointer): \(detail)", faults: [Fault(pointer: pointer, detail: detail)])
    }

    /// - Parameter kind: what the bytes look like, if they look like something else.
    init(_ error: ONNXError, at pointer: String, kind: String?) {
        switch error {
        case .malformed:
            let came = kind.map { "\($0) came" } ?? error.detail
            self.init(
                status: .badRequest, type: .malformedBody, title: "The body, or a part of it, is not a file that can be read",
                detail: "\(pointer): an ONNX model file expected; \(came)",
                faults: [Fault(pointer: pointer, detail: "an ONNX model file expected; \(came)")])
        case .tooLarge: self = .overSize(pointer, error.detail)
        case .unsupported: self = .invalid(pointer, error.detail)
        }
    }
}
