internal import NTK
internal import TensorFormats

// The layers that pick and combine positions by constants.
extension ArchitectureWire {
    private static let bounds = -(1 << 30)...(1 << 30)

    /// `index{"idx": [null, 3, {"start": 0, "stop": 8, "step": 2}]}`: an entry for each axis from the sample axis on; null takes all.
    static func index(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        let value = try reader.required("idx", "a list with an entry for each axis")
        let pointer = reader.pointer(to: "idx")
        let what = "null, an integer or an object with start, stop and step expected"
        guard let values = value.listElements else { throw .invalid(pointer, "a list expected, each entry \(what)") }
        var selections: [AxisSelection] = []
        var canonical: [JSONValue] = []
        for (position, value) in values.enumerated() {
            let place = "\(pointer)/\(position)"
            switch value {
            case .null:
                selections.append(.all)
                canonical.append(.null)
            case .number(let number):
                guard let integer = number.integer, bounds.contains(integer) else { throw .invalid(place, what) }
                selections.append(.position(integer))
                canonical.append(value)
            case .object:
                var slice = try ObjectReader(value, at: place, isCanonical: reader.isCanonical)
                let start = try slice.optionalInteger("start", in: bounds)
                let stop = try slice.optionalInteger("stop", in: bounds)
                let step = try slice.optionalInteger("step", in: bounds) ?? 1
                try slice.finish()
                if step == 1 { slice.setCanonical("step", nil) }
                canonical.append(slice.canonical ?? value)
                guard step != 0 else { throw .invalid(place + "/step", "an integer other than 0 expected") }
                selections.append(.slice(start: start, stop: stop, step: step))
            default: throw .invalid(place, what)
            }
        }
        reader.setCanonical("idx", .array(canonical))
        return .index(selections)
    }

    /// `dot_general{"rhs": [[…]], "lhs_contracting": [1], "rhs_contracting": [0]}`: one constant, and the axes of both sides that are summed
    /// over and that are paired, as in `lax.dot_general`.
    static func dotGeneral(_ reader: inout ObjectReader) throws(ProblemDetails) -> Layer {
        let lhs = try reader.optionalArray("lhs")
        let rhs = try reader.optionalArray("rhs")
        let constant: NumericArray
        let side: DotGeneral.Side
        switch (lhs, rhs) {
        case (let array?, nil): (constant, side) = (array, .lhs)
        case (nil, let array?): (constant, side) = (array, .rhs)
        default: throw .invalid(reader.pointer, "one constant expected: lhs or rhs, and not both")
        }
        return .dotGeneral(
            DotGeneral(
                side: side, shape: constant.shape, elements: Array(constant.elements),
                contracting: (try axes("lhs_contracting", &reader), try axes("rhs_contracting", &reader)),
                batch: (try axes("lhs_batch", &reader), try axes("rhs_batch", &reader))))
    }

    private static func axes(_ field: String, _ reader: inout ObjectReader) throws(ProblemDetails) -> [Int] {
        let axes = try reader.optionalIntegers(field, in: 0...63) ?? []
        if axes.isEmpty { reader.setCanonical(field, nil) }
        return axes
    }
}
