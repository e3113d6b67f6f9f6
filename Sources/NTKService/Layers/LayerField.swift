internal import TensorFormats

/// One field of a layer, or several that are read together: how they are read, and what is known of them.
struct LayerField<Value>: Sendable {
    let descriptions: [FieldDescription]
    let read: @Sendable (inout ObjectReader) throws(ProblemDetails) -> Value

    init(_ descriptions: [FieldDescription], read: @escaping @Sendable (inout ObjectReader) throws(ProblemDetails) -> Value) {
        self.descriptions = descriptions
        self.read = read
    }

    init(_ description: FieldDescription, read: @escaping @Sendable (inout ObjectReader) throws(ProblemDetails) -> Value) {
        self.init([description], read: read)
    }
}

/// Makes fields.
enum Field {
    static func number(_ name: String, default standard: Double, _ words: String) -> LayerField<Double> {
        LayerField(FieldDescription(name: name, form: .number, standard: .number(standard), words: words)) { reader throws(ProblemDetails) in
            try reader.number(name, default: standard)
        }
    }

    static func requiredNumber(_ name: String, _ words: String) -> LayerField<Double> {
        LayerField(FieldDescription(name: name, form: .number, isRequired: true, words: words)) { reader throws(ProblemDetails) in
            try reader.requiredNumber(name)
        }
    }

    static func optionalNumber(_ name: String, _ words: String) -> LayerField<Double?> {
        LayerField(FieldDescription(name: name, form: .number, words: words)) { reader throws(ProblemDetails) in try reader.optionalNumber(name) }
    }

    static func requiredInteger(_ name: String, in range: ClosedRange<Int>, _ words: String) -> LayerField<Int> {
        LayerField(FieldDescription(name: name, form: .integer(range), isRequired: true, words: words)) { reader throws(ProblemDetails) in
            try reader.requiredInteger(name, in: range)
        }
    }

    static func optionalInteger(_ name: String, in range: ClosedRange<Int>, _ words: String) -> LayerField<Int?> {
        LayerField(FieldDescription(name: name, form: .integer(range), words: words)) { reader throws(ProblemDetails) in
            try reader.optionalInteger(name, in: range)
        }
    }

    static func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int, _ words: String) -> LayerField<Int> {
        let description = FieldDescription(name: name, form: .integer(range), standard: .integer(standard), words: words)
        return LayerField(description) { reader throws(ProblemDetails) in
            let integer = try reader.optionalInteger(name, in: range) ?? standard
            if integer == standard { reader.setCanonical(name, nil) }
            return integer
        }
    }

    static func requiredIntegers(_ name: String, in range: ClosedRange<Int>, _ words: String) -> LayerField<[Int]> {
        LayerField(FieldDescription(name: name, form: .integers(range), isRequired: true, words: words)) { reader throws(ProblemDetails) in
            try reader.requiredIntegers(name, in: range)
        }
    }

    static func optionalIntegers(_ name: String, in range: ClosedRange<Int>, _ words: String) -> LayerField<[Int]?> {
        LayerField(FieldDescription(name: name, form: .integers(range), words: words)) { reader throws(ProblemDetails) in
            try reader.optionalIntegers(name, in: range)
        }
    }

    static func boolean(_ name: String, default standard: Bool, _ words: String) -> LayerField<Bool> {
        LayerField(FieldDescription(name: name, form: .boolean, standard: .boolean(standard), words: words)) { reader throws(ProblemDetails) in
            try reader.bool(name, default: standard)
        }
    }

    static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, default standard: Choice, _ words: String
    ) -> LayerField<Choice> where Choice.RawValue == String {
        let form = FieldDescription.Form.word(Choice.allCases.map(\.rawValue))
        return LayerField(FieldDescription(name: name, form: form, standard: .word(standard.rawValue), words: words)) {
            reader throws(ProblemDetails) in
            try reader.choice(name, default: standard)
        }
    }

    static func requiredChoice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _: Choice.Type, _ name: String, _ words: String
    ) -> LayerField<Choice> where Choice.RawValue == String {
        let form = FieldDescription.Form.word(Choice.allCases.map(\.rawValue))
        return LayerField(FieldDescription(name: name, form: form, isRequired: true, words: words)) { reader throws(ProblemDetails) in
            try reader.requiredChoice(name)
        }
    }
}
