internal import NTK
internal import TensorFormats

/// Reads an architecture: a tree of objects with a `type` each.
enum ArchitectureWire {
    /// - Parameter isNetwork: the architecture of a finite network, where the parameterization is "standard" unless stated.
    static func layer(_ value: JSONValue, at pointer: String, isNetwork: Bool = false) throws(ProblemDetails) -> Layer {
        try read(value, at: pointer, isNetwork: isNetwork, isCanonical: false).layer
    }

    /// The same, and the text that all architectures have that differ only in how they are written: with defaults or without, in this or that
    /// order and form of numbers. Read again it is the same architecture.
    static func canonical(
        _ value: JSONValue, at pointer: String, isNetwork: Bool = false
    ) throws(ProblemDetails) -> (layer: Layer, text: String) {
        let (layer, canonical) = try read(value, at: pointer, isNetwork: isNetwork, isCanonical: true)
        return (layer, (canonical ?? value).canonicalText)
    }

    private static func read(
        _ value: JSONValue, at pointer: String, isNetwork: Bool, isCanonical: Bool
    ) throws(ProblemDetails) -> (layer: Layer, canonical: JSONValue?) {
        var reader = try ObjectReader(value, at: pointer, isCanonical: isCanonical)
        reader.isNetwork = isNetwork
        let type = try reader.required("type", "the name of a layer")
        guard case .string(let name) = type else { throw .invalid(reader.pointer(to: "type"), "the name of a layer expected; \(type.kindName) came") }
        let layer = try layer(name, &reader)
        try reader.finish()
        return (layer, reader.canonical)
    }

    private static func layer(_ name: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        if let record = LayerRecords.all.first(where: { $0.name == name }) { return try record.read(&reader) }
        if let record = ActivationRecords.all.first(where: { $0.name == name }) { return .activation(try record.read(&reader)) }
        let names = LayerRecords.all.map(\.name) + ActivationRecords.all.map(\.name)
        throw .invalid(reader.pointer(to: "type"), "one of \(names.joined(separator: ", ")) expected; \"\(name.prefix(40))\" came")
    }

    /// The layers in a field of a layer.
    static func children(_ field: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> [Layer] {
        let value = try reader.required(field, "a list of layers")
        let pointer = reader.pointer(to: field)
        guard let values = value.listElements else { throw .invalid(pointer, "a list of layers expected; \(value.kindName) came") }
        var layers: [Layer] = []
        var canonical: [JSONValue] = []
        for (index, value) in values.enumerated() {
            let child = try read(value, at: "\(pointer)/\(index)", isNetwork: reader.isNetwork, isCanonical: reader.isCanonical)
            layers.append(child.layer)
            if let value = child.canonical { canonical.append(value) }
        }
        reader.setCanonical(field, .array(canonical))
        return layers
    }

    /// The one layer in a field of a layer.
    static func child(_ field: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        let child = try read(
            reader.required(field, "a layer"), at: reader.pointer(to: field), isNetwork: reader.isNetwork, isCanonical: reader.isCanonical)
        reader.setCanonical(field, child.canonical)
        return child.layer
    }
}

extension Layer {
    /// The kernel of this architecture on points of this shape; `pointer` is where the architecture stands in the request.
    func analyticKernel(shape: [Int], at pointer: String) throws(ProblemDetails) -> AnalyticKernel {
        do {
            return try AnalyticKernel(self, shape: shape, meter: .ofRequest())
        } catch {
            throw ProblemDetails(error, at: pointer)
        }
    }

    func analyticKernel(features: Int, at pointer: String) throws(ProblemDetails) -> AnalyticKernel {
        try analyticKernel(shape: [features], at: pointer)
    }
}
