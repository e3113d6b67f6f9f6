import ArgumentParser
import FoundationEssentials

/// The value of an option: as given on the command line, else from the environment, else the default.
struct Setting<Value: ExpressibleByArgument & Sendable>: Sendable {
    let variable: String
    let standard: Value

    func resolve(_ given: Value?) throws -> Value {
        if let given { return given }
        guard let text = ProcessInfo.processInfo.environment[variable] else { return standard }
        guard let value = Value(argument: text) else {
            throw ValidationError("The environment variable \(variable) has the value '\(text)', which is no \(Value.self).")
        }
        return value
    }

    /// What `--help` says after the description.
    func help(_ text: String, unit: String = "") -> ArgumentHelp {
        ArgumentHelp("\(text) (\(variable); default: \(standard)\(unit))")
    }
}

/// The value of an option that counts something there must be.
func atLeastOne(_ value: Int, _ option: String) throws -> Int {
    guard value > 0 else { throw ValidationError("\(option) must be at least 1.") }
    return value
}
