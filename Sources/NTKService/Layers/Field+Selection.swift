internal import NTK
internal import TensorFormats

// Fields of the layers that pick and combine positions by constants.
extension Field {
    private static let bounds = -(1 << 30)...(1 << 30)

    /// `"idx": [null, 3, {"start": 0, "stop": 8, "step": 2}]`: an entry for each axis from the sample axis on; null takes all.
    static let selections = LayerField(
        FieldDescription(
            name: "idx", form: .selections, isRequired: true,
            words:
                "One entry for each axis, beginning with the sample axis. Null takes all positions; an integer takes one position and removes the axis."
        )
    ) { reader throws(ProblemDetails) -> [AxisSelection] in
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
        return selections
    }

    /// The constant of a `dot_general`, on one of its sides.
    static let constant = LayerField([
        FieldDescription(name: "lhs", form: .array, words: "The constant, where it is the left side."),
        FieldDescription(name: "rhs", form: .array, words: "The constant, where it is the right side."),
    ]) { reader throws(ProblemDetails) -> (side: DotGeneral.Side, array: NumericArray) in
        let lhs = try reader.optionalArray("lhs")
        let rhs = try reader.optionalArray("rhs")
        switch (lhs, rhs) {
        case (let array?, nil): return (.lhs, array)
        case (nil, let array?): return (.rhs, array)
        default: throw .invalid(reader.pointer, "one constant expected: lhs or rhs, and not both")
        }
    }

    /// Axes of one side; none if they are absent.
    static func dotAxes(_ name: String, _ words: String) -> LayerField<[Int]> {
        LayerField(FieldDescription(name: name, form: .integers(0...63), words: words)) { reader throws(ProblemDetails) in
            let axes = try reader.optionalIntegers(name, in: 0...63) ?? []
            if axes.isEmpty { reader.setCanonical(name, nil) }
            return axes
        }
    }
}
