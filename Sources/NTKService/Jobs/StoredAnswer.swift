internal import ArtifactStore
internal import HTTPTypes
internal import Jobs
internal import LinearAlgebra
internal import TensorFormats

/// The answer of a job on the disk: its arrays as files numbered from 0, and a JSON text that says what they are, with the other members.
struct StoredAnswer: Sendable {
    var answer: Answer
    var isOneArray: Bool
    /// Where what was made can be had, such as a regressor.
    var location: String?

    /// Writes the arrays that are not in the run's files yet.
    /// - Returns: the text.
    static func store(_ answer: ComputedAnswer, isOneArray: Bool, in run: JobRun) throws -> [UInt8] {
        for (index, entry) in answer.body.arrays.enumerated() {
            if index < answer.storedArrays { try run.seal(index) } else { try run.store(index, entry.array) }
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("one_array")
        json.value(isOneArray)
        if let location = answer.headerFields[.location] { json.member("location", location) }
        if let object = answer.body.object { json.member("object", String(decoding: object, as: UTF8.self)) }
        json.key("members")
        json.beginArray()
        var index = 0
        func write(_ name: String, _ array: OutputArray) {
            json.beginObject()
            json.member("name", name)
            json.member("file", index)
            json.key("is_float32")
            json.value(array.isFloat32)
            json.integers("shape", array.shape)
            json.endObject()
            index += 1
        }
        for (name, value) in answer.body.members {
            switch value {
            case .json(let text):
                json.beginObject()
                json.member("name", name)
                json.member("json", String(decoding: text, as: UTF8.self))
                json.endObject()
            case .array(let array): write(name, array)
            case .arrays(let arrays):
                json.beginObject()
                json.member("name", name)
                json.key("arrays")
                json.beginArray()
                for (name, array) in arrays { write(name, array) }
                json.endArray()
                json.endObject()
            }
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// Arrays of up to so many bytes together are read before anything is sent, so that what is damaged is a problem and no end in the middle;
    /// larger ones once they were found damaged.
    private static let checkedBytes = 256 << 20

    /// The answer of a job that has succeeded; its arrays are read when they are sent.
    /// - Throws: `ArtifactStoreError.damaged`, which the board knows of then.
    init(_ outcome: JobOutcome, _ jobs: JobBoard, _ id: JobID) throws {
        var arrays: [StoredArray] = []
        do {
            try self.init(outcome.content, id) { index, shape, isFloat32 in
                arrays.append(try jobs.array(id, outcome, index, shape: shape, isFloat32: isFloat32))
                return arrays[arrays.count - 1].output
            }
        } catch let error as ArtifactStoreError {
            throw error
        } catch {
            // What it says makes no sense.
            jobs.noteDamagedOutcome(of: id)
            throw ProblemDetails.damagedRecord("\(id)/outcome.json")
        }
        guard jobs.isKnownDamaged(id) || arrays.reduce(0, { $0.addingClamped($1.bytes) }) <= Self.checkedBytes else { return }
        for array in arrays { try jobs.check(array) }
        jobs.noteWhole(id)
    }

    private init(_ content: [UInt8], _ id: JobID, _ read: (_ index: Int, _ shape: [Int], _ isFloat32: Bool) throws -> OutputArray) throws {
        func text(_ value: JSONValue?) -> String? { if case .string(let text)? = value { text } else { nil } }
        func array(_ entry: JSONObject) throws -> OutputArray {
            guard case .number(let file)? = entry["file"], let index = file.integer, index >= 0, case .bool(let isFloat32)? = entry["is_float32"],
                let extents = entry["shape"]?.listElements
            else { throw ProblemDetails.damagedRecord("the outcome of \(id)") }
            let shape = extents.compactMap { if case .number(let extent) = $0 { extent.integer } else { nil } }
            // So that the bytes of a file are a number.
            guard !shape.isEmpty, shape.count == extents.count, shape.allSatisfy({ $0 >= 0 }),
                shape.filter({ $0 > 0 }).reduce(8, { $0.multipliedClamped(by: $1) }) <= 1 << 56
            else { throw ProblemDetails.damagedRecord("the outcome of \(id)") }
            return try read(index, shape, isFloat32)
        }
        guard case .object(let record) = try JSONValue.parse(content), case .bool(let isOneArray)? = record["one_array"] else {
            throw ProblemDetails.damagedRecord("the outcome of \(id)")
        }
        self.isOneArray = isOneArray
        location = text(record["location"])
        answer = text(record["object"]).map { Answer(object: $0) } ?? Answer()
        guard case .array(let members)? = record["members"] else { return }
        for case .object(let member) in members {
            guard let name = text(member["name"]) else { throw ProblemDetails.damagedRecord("the outcome of \(id)") }
            if let json = text(member["json"]) {
                answer.append(name, json: json)
            } else if case .array(let arrays)? = member["arrays"] {
                answer.append(
                    name,
                    .arrays(
                        try arrays.compactMap { entry in
                            guard case .object(let entry) = entry, let name = text(entry["name"]) else { return nil }
                            return (name, try array(entry))
                        }))
            } else {
                answer.append(name, .array(try array(member)))
            }
        }
    }
}
