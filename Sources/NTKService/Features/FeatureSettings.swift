internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// What `POST /v1/gradient-features` says beside the network and its points: of which number of each point the gradient is, of which parameters,
/// and how it is projected.
struct FeatureSettings: Sendable {
    let scalar: PointScalar
    /// Nil for the gradients themselves.
    let projection: RandomProjection?
    let precision: KernelRequest.Precision

    private enum Projection: String, CaseIterable {
        case rademacher, gaussian, none
    }

    static let standardDimension = 2048
    private static let mostDimensions = 1 << 20

    /// - Parameters:
    ///   - points: how many there are.
    ///   - outputs: how many numbers the network has for a point.
    init(_ reader: inout ObjectReader, points: Int, outputs: Int, _ precision: KernelRequest.Precision) throws(ProblemDetails) {
        self.precision = precision
        scalar = try Self.scalar(&reader, points: points, outputs: outputs)
        let kind: Projection = try reader.choice("projection", default: .rademacher)
        let dimension = try reader.optionalInteger("dimension", in: 1...Self.mostDimensions)
        let seed = try reader.optionalInteger("seed", in: 0...(1 << 53))
        guard kind != .none else {
            guard dimension == nil else { throw .invalid("/dimension", "no dimension expected where gradients are not projected") }
            projection = nil
            return
        }
        projection = RandomProjection(
            kind == .gaussian ? .gaussian : .rademacher, dimension: dimension ?? Self.standardDimension, seed: UInt64(seed ?? 0))
    }

    private static func scalar(_ reader: inout ObjectReader, points: Int, outputs: Int) throws(ProblemDetails) -> PointScalar {
        let pointer = reader.pointer(to: "outputs")
        let what = "one number of each point expected: a list of one output from 0 to \(outputs - 1), or a functional with labels1"
        guard let value = reader.optional("outputs") else {
            guard outputs == 1 else { throw .invalid(pointer, "\(what); the network has \(outputs) outputs, and none is chosen") }
            return .output(0)
        }
        if case .object = value {
            var nested = try ObjectReader(value, at: pointer)
            let kind: ModelQuestion.Functional = try nested.requiredChoice("functional")
            let labels = try ModelQuestion.labels(&nested, "labels1", points: points, classes: outputs)
            try nested.finish(orNull: ["labels2"])
            return .functional(kind.functional, labels: labels)
        }
        guard let values = value.listElements, values.count == 1, case .number(let number) = values[0], let output = number.integer,
            (0..<outputs).contains(output)
        else { throw .invalid(pointer, what) }
        return .output(output)
    }

    /// Numbers that stand for a point.
    func width(parameters: Int) -> Int { projection?.dimension ?? parameters }

    /// The projections of so many points.
    func work(points: Int, parameters: Int, blocks: Int) -> Work {
        guard let projection else { return Work(.memory, 16 * Double(points) * Double(parameters)) }
        return Work(.products, 2 * Double(points) * Double(parameters) * Double(projection.dimension))
            + Work(.loops, projection.drawOperations(parameters) * Double(max(blocks, 1)))
    }

    func answer<Element: AnswerElement>(_ features: Matrix<Element>, _ parameters: [(name: String, shape: [Int])]) -> Answer {
        var body = Answer()
        body.append("features", features)
        body.append(shape: [features.rows, features.columns], precision)
        body.append("parameters") { json in
            json.beginArray()
            for (name, shape) in parameters {
                json.beginObject()
                json.member("name", name)
                json.integers("shape", shape)
                json.endObject()
            }
            json.endArray()
        }
        return body
    }
}
