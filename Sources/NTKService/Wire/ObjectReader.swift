internal import TensorFormats

/// Reads the fields of one JSON object, and knows at the end which of them were not read.
///
/// Every error says what was expected and what came, and points at the value.
struct ObjectReader {
    let pointer: String
    private let object: JSONObject
    /// Of an architecture: whether it is that of a finite network, whose layers have other defaults.
    var isNetwork = false
    /// Nil if the canonical form is not needed.
    private var canonicalFields: CanonicalFields?
    private var known: [String] = []

    init(_ value: JSONValue, at pointer: String, isCanonical: Bool = false) throws(ProblemDetails) {
        guard case .object(let object) = value else { throw .invalid(pointer, "an object expected; \(value.kindName) came") }
        self.pointer = pointer
        self.object = object
        known.reserveCapacity(16)
        if isCanonical { canonicalFields = CanonicalFields() }
    }

    /// Whether the canonical form of the object is kept while it is read.
    var isCanonical: Bool { canonicalFields != nil }

    /// The object in canonical form, as far as it was read; nil unless it is kept.
    var canonical: JSONValue? { canonicalFields?.members(of: object) }

    /// What stands for a field in the canonical form; nil for its default.
    mutating func setCanonical(_ field: String, _ value: @autoclosure () -> JSONValue?) {
        if isCanonical { canonicalFields?.set(field, value()) }
    }

    func pointer(to field: String) -> String { "\(pointer)/\(field)" }

    /// The value of a field; nil if it is absent or null: generated clients write null for what they were not given.
    mutating func optional(_ field: String) -> JSONValue? {
        known.append(field)
        switch object[field] {
        case .none, .null: return nil
        case .some(let value): return value
        }
    }

    mutating func required(_ field: String, _ what: String) throws(ProblemDetails) -> JSONValue {
        guard let value = optional(field) else { throw missing(field, what) }
        return value
    }

    private func missing(_ field: String, _ what: String) -> ProblemDetails {
        .invalid(pointer(to: field), "\(what) expected; \(object[field] == nil ? "the field is missing" : "null came")")
    }

    mutating func optionalNumber(_ field: String) throws(ProblemDetails) -> Double? {
        guard let value = optional(field) else { return nil }
        guard case .number(let number) = value else { throw .invalid(pointer(to: field), "a number expected; \(value.kindName) came") }
        setCanonical(field, .number(.double(number.value)))
        return number.value
    }

    mutating func number(_ field: String, default standard: Double) throws(ProblemDetails) -> Double {
        let number = try optionalNumber(field) ?? standard
        if number == standard { setCanonical(field, nil) }
        return number
    }

    /// An integer that is at least `minimum` and at most `maximum`.
    mutating func optionalInteger(_ field: String, in range: ClosedRange<Int>) throws(ProblemDetails) -> Int? {
        guard let value = optional(field) else { return nil }
        guard case .number(let number) = value, let integer = number.integer, range.contains(integer) else {
            throw .invalid(pointer(to: field), "an integer from \(range.lowerBound) to \(range.upperBound) expected")
        }
        return integer
    }

    mutating func requiredNumber(_ field: String) throws(ProblemDetails) -> Double {
        guard let number = try optionalNumber(field) else { throw missing(field, "a number") }
        return number
    }

    mutating func requiredInteger(_ field: String, in range: ClosedRange<Int>) throws(ProblemDetails) -> Int {
        guard let integer = try optionalInteger(field, in: range) else {
            throw missing(field, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// A list of integers.
    mutating func optionalIntegers(_ field: String, in range: ClosedRange<Int>) throws(ProblemDetails) -> [Int]? {
        guard let value = optional(field) else { return nil }
        let what = "a list of integers from \(range.lowerBound) to \(range.upperBound) expected"
        guard let values = value.listElements else { throw .invalid(pointer(to: field), "\(what); \(value.kindName) came") }
        var integers: [Int] = []
        for (index, value) in values.enumerated() {
            guard case .number(let number) = value, let integer = number.integer, range.contains(integer) else {
                throw .invalid("\(pointer(to: field))/\(index)", "an integer from \(range.lowerBound) to \(range.upperBound) expected")
            }
            integers.append(integer)
        }
        return integers
    }

    mutating func requiredIntegers(_ field: String, in range: ClosedRange<Int>) throws(ProblemDetails) -> [Int] {
        guard let integers = try optionalIntegers(field, in: range) else {
            throw missing(field, "a list of integers")
        }
        return integers
    }

    mutating func bool(_ field: String, default standard: Bool) throws(ProblemDetails) -> Bool {
        guard let value = optional(field) else { return standard }
        guard case .bool(let bool) = value else { throw .invalid(pointer(to: field), "true or false expected; \(value.kindName) came") }
        if bool == standard { setCanonical(field, nil) }
        return bool
    }

    /// One of the raw values of an enumeration.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ field: String, default standard: Choice
    ) throws(ProblemDetails) -> Choice where Choice.RawValue == String {
        guard let value = optional(field) else { return standard }
        let choice: Choice = try Self.choice(value, at: pointer(to: field))
        if choice.rawValue == standard.rawValue { setCanonical(field, nil) }
        return choice
    }

    mutating func requiredChoice<Choice: RawRepresentable & CaseIterable>(
        _ field: String
    ) throws(ProblemDetails) -> Choice where Choice.RawValue == String {
        let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        return try Self.choice(required(field, "one of \(names)"), at: pointer(to: field))
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: JSONValue, at pointer: @autoclosure () -> String
    ) throws(ProblemDetails) -> Choice where Choice.RawValue == String {
        guard case .string(let name) = value, let choice = Choice(rawValue: name) else {
            let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw .invalid(pointer(), "one of \(names) expected; " + Self.describe(value) + " came")
        }
        return choice
    }

    private static func describe(_ value: JSONValue) -> String {
        if case .string(let text) = value { "\"\(text.prefix(40))\"" } else { value.kindName }
    }

    mutating func array(_ field: String, _ what: String) throws(ProblemDetails) -> NumericArray {
        return try array(field, required(field, what))
    }

    mutating func optionalArray(_ field: String) throws(ProblemDetails) -> NumericArray? {
        guard let value = optional(field) else { return nil }
        return try array(field, value)
    }

    private mutating func array(_ field: String, _ value: JSONValue) throws(ProblemDetails) -> NumericArray {
        do {
            let array = try value.numericArray(at: pointer(to: field))
            setCanonical(field, .tensor(array))
            return array
        } catch {
            throw ProblemDetails(error)
        }
    }

    /// To be called last: a field that was not read is a mistake, or a wish that would go unheard.
    /// - Parameter nulls: fields that mean nothing beside the others that came: null is no wish, and generated clients write it.
    func finish(orNull nulls: [String] = []) throws(ProblemDetails) {
        func isUnknown(_ member: (key: String, value: JSONValue)) -> Bool {
            if case .null = member.value, nulls.contains(where: { $0.isSame(as: member.key) }) { return false }
            return !known.contains { $0.isSame(as: member.key) }
        }
        guard let first = object.members.first(where: isUnknown)?.key else { return }
        let unknown = object.members.filter(isUnknown).map(\.key)
        var problem = ProblemDetails.invalid(
            pointer(to: first.jsonPointerToken), "an unknown field; the fields here are \(known.joined(separator: ", "))")
        problem.faults = unknown.map { .init(pointer: pointer(to: $0.jsonPointerToken), detail: "an unknown field") }
        throw problem
    }
}
