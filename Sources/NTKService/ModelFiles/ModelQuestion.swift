internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// What is asked of the tangent kernel of a network from a file: outputs, labels and parameters, read from a request.
struct ModelQuestion: Sendable {
    var question = KernelQuestion()
    /// Of what stands for a pair of points.
    var pairShape: [Int] = []

    /// - Parameter counts: of the points of both sides; of the second nil where there is one set.
    init<F: NetworkScalar>(
        _ reader: inout ObjectReader, _ program: NetworkProgram<F>, counts: (Int, Int?)
    ) throws(ProblemDetails) {
        let k = program.outputCount
        if let value = reader.optional("outputs"), case .object = value {
            var functional = try ObjectReader(value, at: reader.pointer(to: "outputs"))
            let kind: Functional = try functional.requiredChoice("functional")
            let labels1 = try Self.labels(&functional, "labels1", points: counts.0, classes: k)
            let labels2 = try counts.1.map { count throws(ProblemDetails) in
                try Self.labels(&functional, "labels2", points: count, classes: k)
            }
            try functional.finish(orNull: ["labels2"])
            question.functional = (kind.functional, labels1, labels2 ?? labels1)
        } else {
            switch try EmpiricalKernelRequest.outputs(reader.optional("outputs"), of: k) {
            case .mean: question.outputs = .mean
            case .sum: question.outputs = .sum
            case .diagonal: (question.outputs, pairShape) = (.diagonal, [k])
            case .full: (question.outputs, pairShape) = (.full, [k, k])
            case .chosen(let outputs):
                question.outputs = .full
                question.chosenOutputs = outputs
                pairShape = [outputs.count, outputs.count]
            }
        }
        question.isLayerwise = try reader.bool("layerwise", default: false)
        question.parameters = try Self.parameters(&reader, program)
    }

    /// Names of the parameters that take part.
    static func parameters<F: NetworkScalar>(
        _ reader: inout ObjectReader, _ program: NetworkProgram<F>
    ) throws(ProblemDetails) -> [String] {
        let names = program.parameters.map(\.name)
        let counting = Set(program.parameters.indices.filter { program.parameters[$0].countsByDefault })
        return try reader.chosenParameters(names, counting: counting).sorted().map { names[$0] }
    }

    enum Functional: String, CaseIterable {
        case logOdds = "log_odds"
        case logLikelihood = "log_likelihood"
        case labelLogit = "label_logit"

        var functional: LabelFunctional {
            switch self {
            case .logOdds: .logOdds
            case .logLikelihood: .logLikelihood
            case .labelLogit: .labelLogit
            }
        }
    }

    static func labels(_ reader: inout ObjectReader, _ field: String, points: Int, classes: Int) throws(ProblemDetails) -> [Int] {
        let pointer = reader.pointer(to: field)
        let array = try reader.array(field, "a list of \(points) labels from 0 to \(classes - 1)")
        guard array.shape == [points], !array.hasNulls else {
            throw .invalid(pointer, "a list of \(points) labels expected, one a point; shape \(array.shape) came")
        }
        var labels: [Int] = []
        for (index, number) in array.elements.enumerated() {
            guard let label = Int(exactly: number), label >= 0, label < classes else {
                throw .invalid("\(pointer)/\(index)", "a label from 0 to \(classes - 1) expected; \(number) came")
            }
            labels.append(label)
        }
        return labels
    }
}
