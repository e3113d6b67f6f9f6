internal import TensorFormats

/// Names of parameters, with * for any characters: which of a network's take part.
enum ParameterPatterns {
    /// The names that a list of patterns takes in.
    /// - Parameters:
    ///   - names: of all parameters that can take part.
    /// - Throws: for a pattern that no name matches.
    static func matching(_ value: JSONValue, _ names: [String], at pointer: String) throws(ProblemDetails) -> Set<Int> {
        guard case .array(let values) = value, !values.isEmpty else { throw .invalid(pointer, "a list of names such as \"0.*\" expected") }
        var chosen: Set<Int> = []
        for (index, value) in values.enumerated() {
            guard case .string(let pattern) = value else { throw .invalid("\(pointer)/\(index)", "a name such as \"0.*\" expected") }
            let matching = names.indices.filter { matches(names[$0].utf8[...], pattern.utf8[...]) }
            guard !matching.isEmpty else {
                throw .invalid(
                    "\(pointer)/\(index)",
                    "a name among the trainable parameters expected (\(names.prefix(shown).joined(separator: ", "))"
                        + "\(names.count > shown ? " and \(names.count - shown) more" : "")); \"\(pattern.prefix(80))\" matches none")
            }
            chosen.formUnion(matching)
        }
        return chosen
    }

    private static let shown = 100

    /// By the greedy way, which goes back to the last star only: linear in the name for each star.
    private static func matches(_ name: Substring.UTF8View, _ pattern: Substring.UTF8View) -> Bool {
        var (name, pattern) = (name, pattern)
        var retry: (name: Substring.UTF8View, pattern: Substring.UTF8View)?
        while let byte = name.first {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (name, pattern)
            } else if pattern.first == byte {
                (name, pattern) = (name.dropFirst(), pattern.dropFirst())
            } else if let last = retry {
                retry = (last.name.dropFirst(), last.pattern)
                (name, pattern) = (last.name.dropFirst(), last.pattern)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension ObjectReader {
    /// The parameters that `include` and `exclude` leave, by place; all that count where neither came.
    /// - Parameters:
    ///   - names: of all parameters that can take part.
    ///   - counting: those that take part where nothing is chosen.
    mutating func chosenParameters(_ names: [String], counting: Set<Int>) throws(ProblemDetails) -> Set<Int> {
        var chosen = counting
        if let value = optional("include") { chosen = try ParameterPatterns.matching(value, names, at: pointer(to: "include")) }
        if let value = optional("exclude") {
            chosen.subtract(try ParameterPatterns.matching(value, names, at: pointer(to: "exclude")))
            guard !chosen.isEmpty else { throw .invalid(pointer(to: "exclude"), "at least one parameter that is left expected; none is") }
        }
        return chosen
    }
}
