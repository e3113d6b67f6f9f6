import HTTPTypes
import TensorFormats
import Testing

/// `POST /v1/trainings` of networks from files, against the same networks in the grammar.
struct ModelTrainingTests {
    private let client = ServiceClient()
    private static let dense = #"{"type":"dense","width":3}"#
    private static let parameters = #""0.weight":[[1,0],[0,1],[1,-1]],"0.bias":[0.5,-0.5,0],"2.weight":[[1,2,3],[-1,0,1]]"#
    private static let points = """
        "x_train":[[0.2,0.1],[-0.1,0.3],[0.7,-0.4],[0.2,0.1]],"y_train":[[1,0],[0,0.5],[-1,1],[0.5,0]],"x_test":[[0.3,-0.2],[1,1]],"y_test":[[0,0],[1,-1]]
        """

    private func grammar(first: String = dense, _ fields: String) async throws -> ServiceClient.Answer {
        let architecture = #"{"type":"serial","layers":[\#(first),{"type":"tanh"},{"type":"dense","width":2}]}"#
        return try await client.post(
            "/v1/trainings", "{\"network\":{\"architecture\":\(architecture),\"parameters\":{\(Self.parameters)}},\(Self.points)\(fields)}")
    }

    private func file(_ fields: String) async throws -> ServiceClient.Answer {
        try await client.post("/v1/trainings", "{\(Self.points)\(fields)}", [("network.onnx", ModelWriter.small)])
    }

    private static let members = [
        "learning_rate", "max_learning_rate", "train_loss", "kernel_train_loss", "test_loss", "kernel_test_loss", "kernel_drift",
        "parameter_distance", "relative_parameter_distance", "deviation", "train_outputs", "kernel_train_outputs", "test_outputs",
        "kernel_test_outputs",
    ]

    private func compare(_ one: ServiceClient.Answer, _ other: ServiceClient.Answer, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(one.status == 200 && other.status == 200, "\(one.text)\n\(other.text)", sourceLocation: location)
        for member in Self.members where !member.hasSuffix("learning_rate") {
            let (a, b) = (try one.array(member), try other.array(member))
            #expect(a.shape == b.shape, "\(member)", sourceLocation: location)
            for (x, y) in zip(a.elements, b.elements) { #expect(abs(x - y) <= 1e-11 * max(1, abs(y)), "\(member)", sourceLocation: location) }
        }
    }

    @Test(arguments: [#","steps":[0,1,7,40]"#, #","steps":[0,3,25],"learning_rate":0.05,"momentum":0.8"#])
    func aFileTrainsAsTheGrammarDoes(_ fields: String) async throws {
        let own = try await file(fields)
        try compare(own, try await grammar(fields))
        let losses = try own.array("train_loss").elements
        #expect(losses[losses.count - 1] < losses[0])
    }

    /// Only what is chosen moves.
    @Test func someParameters() async throws {
        let steps = #","steps":[0,2,20],"learning_rate":0.1"#
        let frozen = #"{"type":"dense","width":3,"trainable":false}"#
        try compare(try await file("\(steps),\"include\":[\"V\"]"), try await grammar(first: frozen, steps))
        try compare(try await file("\(steps),\"exclude\":[\"W\",\"b\"]"), try await grammar(first: frozen, steps))
    }

    @Test(arguments: [
        (#","steps":[500],"learning_rate":1000"#, "/learning_rate"), (#","steps":[1],"include":["none"]"#, "/include/0"),
        (#","steps":[1],"output":"z""#, "/output"), (#","steps":[1],"output":"h""#, "/y_train"),
    ])
    func refuses(_ fields: String, _ pointer: String) async throws {
        let answer = try await file(fields)
        #expect(try answer.status == 422 && answer.pointers == [pointer], "\(answer.text)")
    }

    @Test func aStoredOne() async throws {
        let id = try await client.postModel(ModelWriter.small).id
        let fields = #","steps":[0,5]"#
        let stored = try await client.post("/v1/trainings", "{\"network\":\"\(id)\",\(Self.points)\(fields)}")
        try compare(stored, try await file(fields))
    }
}
