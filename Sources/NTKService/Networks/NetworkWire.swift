internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension ObjectReader {
    /// A network: an object, a model file, or the id of a stored one.
    mutating func network(_ field: String, _ store: NetworkStore) throws(ProblemDetails) -> NetworkReference {
        try store.reference(
            required(
                field, "a network: an object with an architecture and parameters, a model file as part \(field).onnx, or the id of a stored one,"),
            at: pointer(to: field))
    }

    /// The points' adjacencies, where and only where the network aggregates.
    mutating func pattern(_ field: String, _ network: FiniteNetwork, points: Int) throws(ProblemDetails) -> Matrix<Double>? {
        let pattern = try pattern(field, points: points, spatial: Array(network.inputShape.dropLast()))
        let pointer = pointer(to: field)
        switch (network.patternSize, pattern) {
        case (nil, nil): return nil
        case (nil, _?): throw .invalid(pointer, "no pattern expected: the network has no aggregate layer")
        case (_?, nil): throw .invalid(pointer, "the adjacency of each point expected, for aggregate; the field is missing")
        case (let size?, let pattern?):
            guard pattern.columns == size * size else { throw .invalid(pointer, "adjacencies of \(size) by \(size) nodes expected") }
            return pattern
        }
    }

    /// Points of finite numbers: a network has no place for masked ones.
    mutating func networkPoints(_ field: String, _ format: DataFormat) throws(ProblemDetails) -> PointTensor {
        try Self.unmasked(tensor(field, format), at: pointer(to: field))
    }

    mutating func optionalNetworkPoints(_ field: String, _ format: DataFormat) throws(ProblemDetails) -> PointTensor? {
        guard let points = try optionalTensor(field, format) else { return nil }
        return try Self.unmasked(points, at: pointer(to: field))
    }

    private static func unmasked(_ points: PointTensor, at pointer: String) throws(ProblemDetails) -> PointTensor {
        guard points.values.isFinite else { throw .invalid(pointer, "numbers expected in every place; null came") }
        return points
    }
}

extension ProblemDetails {
    /// Why an architecture and parameters make no network.
    init(_ error: NetworkError, at place: NetworkSource.Place) {
        switch error {
        case .architecture(let error):
            // Of a stored network the pointer leads to its id.
            self =
                if case .pointer(let pointer) = place { ProblemDetails(error, at: pointer + "/architecture") } else {
                    ProblemDetails(ArchitectureError(path: "", detail: error.detail, cause: error.cause), at: place.pointer(to: ""))
                }
        case .overflow(let precision):
            self = .invalid(
                place.pointer(to: ""),
                "outputs and derivatives within the range of \(precision) expected; they overflow: scale the inputs or the weights"
                    + (precision == "float32" ? ", or ask for float64" : ""))
        case .parameters(let faults):
            let all = faults.map { fault in
                Fault(pointer: place.pointer(to: "/parameters/\(fault.name.jsonPointerToken)"), detail: "\(fault.name): \(Self.text(fault.kind))")
            }
            self = .invalid(all.first?.pointer ?? "", all.first?.detail ?? "")
            if all.count > 1 { detail += " (and \(all.count - 1) more, see errors)" }
            self.faults = all
        }
    }

    private static func text(_ kind: ParameterFault.Kind) -> String {
        switch kind {
        case .missing(let shape): "an array of shape \(shape) expected; the parameter is missing"
        case .surplus: "no such parameter expected: the architecture has no layer of this name with one"
        case .shape(let expected, let came): "shape \(expected) expected; shape \(came) came"
        case .biasWithoutScale: "a b_std of its layer expected, which scales a bias in the \"ntk\" parameterization; there is none"
        }
    }
}
