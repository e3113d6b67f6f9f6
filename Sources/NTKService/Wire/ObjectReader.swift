internal import TensorFormats

/// Reads the fields of one JSON object, and knows at the end which of them nobody asked for.
///
/// Every error says what was expected and what came, and points at the value.
struct ObjectReader {
    let pointer: String
    private let object: JSONObject
    /// Of an architecture: whether it is that of a finite network, whose layers have other defaults.
    var isNetwork = false
    private var known: [String] = []
    /// Fields that are null where null means nothing.
    private var nulls: [String] = []

    init(_ value: JSONValue, at pointer: String) throws(ProblemDetails) {
        guard case .object(let object) = value else { throw .invalid(pointer, "an object expected; \(value.kindName) came") }
        self.pointer = pointer
        self.object = object
        known.reserveCapacity(16)
    }

    func pointer(to field: String) -> String { "\(pointer)/\(field)" }

    /// The value of a field; nil if it is absent or null.
    /// - Parameter orNull: Whether it may be null; if not, `finish` says so.
    mutating func optional(_ field: String, orNull: Bool = false) -> JSONValue? {
        known.append(field)
        switch object[field] {
        case .none: return nil
        case .null:
            if !orNull { nulls.append(field) }
            return nil
        case .some(let value): return value
        }
    }

    mutating func required(_ field: String, _ what: String) throws(ProblemDetails) -> JSONValue {
        guard let value = optional(field) else { throw missing(field, what) }
        return value
    }

    private func missing(_ field: String, _ what: String) -> ProblemDetails {
        .invalid(pointer(to: field), "\(what) expected; \(nulls.contains(field) ? "null came" : "the field is missing")")
    }

    mutating func optionalNumber(_ field: String, orNull: Bool = false) throws(ProblemDetails) -> Double? {
        guard let value = optional(field, orNull: orNull) else { return nil }
        guard case .number(let number) = value else { throw .invalid(pointer(to: field), "a number expected; \(value.kindName) came") }
        return number.value
    }

    mutating func number(_ field: String, default standard: Double) throws(ProblemDetails) -> Double {
        try optionalNumber(field) ?? standard
    }

    /// An integer that is at least `minimum` and at most `maximum`.
    mutating func optionalInteger(_ field: String, in range: ClosedRange<Int>, orNull: Bool = false) throws(ProblemDetails) -> Int? {
        guard let value = optional(field, orNull: orNull) else { return nil }
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
    mutating func optionalIntegers(_ field: String, in range: ClosedRange<Int>, orNull: Bool = false) throws(ProblemDetails) -> [Int]? {
        guard let value = optional(field, orNull: orNull) else { return nil }
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
        return bool
    }

    /// One of the raw values of an enumeration.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ field: String, default standard: Choice
    ) throws(ProblemDetails) -> Choice where Choice.RawValue == String {
        guard let value = optional(field) else { return standard }
        return try Self.choice(value, at: pointer(to: field))
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
        let value = try required(field, what)
        do { return try value.numericArray(at: pointer(to: field)) } catch { throw ProblemDetails(error) }
    }

    mutating func optionalArray(_ field: String) throws(ProblemDetails) -> NumericArray? {
        guard let value = optional(field) else { return nil }
        do { return try value.numericArray(at: pointer(to: field)) } catch { throw ProblemDetails(error) }
    }

    /// To be called last: a field that was not read, or is null without a meaning, is a mistake, or a wish that would go unheard.
    func finish() throws(ProblemDetails) {
        if let field = nulls.first {
            throw .invalid(pointer(to: field), "a value expected, or no such field; null came")
        }
        guard let first = object.members.first(where: { !known.contains($0.key) })?.key else { return }
        let unknown = object.members.map(\.key).filter { !known.contains($0) }
        var problem = ProblemDetails.invalid(
            pointer(to: first.jsonPointerToken), "an unknown field; the fields here are \(known.joined(separator: ", "))")
        problem.faults = unknown.map { .init(pointer: pointer(to: $0.jsonPointerToken), detail: "an unknown field") }
        throw problem
    }
}
