/// The Prometheus text format, version 0.0.4.
package struct MetricText: Sendable {
    package static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var bytes: [UInt8] = []

    package init() {}

    mutating func head(_ name: String, _ help: StaticString, _ type: MetricType) {
        line("# HELP \(name) \(Self.escaped(help.description, quote: false))")
        line("# TYPE \(name) \(type.rawValue)")
    }

    package mutating func sample(_ name: String, _ labels: String, _ value: Int) { sample(name, labels, String(value)) }
    package mutating func sample(_ name: String, _ labels: String, _ value: Double) { sample(name, labels, Self.number(value)) }

    private mutating func sample(_ name: String, _ labels: String, _ value: String) {
        line(labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels)} \(value)")
    }

    private mutating func line(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// `name="value",…`
    static func labels(_ names: [StaticString], _ values: [LabelValue]) -> String {
        zip(names, values).map { "\($0)=\"\(escaped($1.text, quote: true))\"" }.joined(separator: ",")
    }

    /// Whole numbers without a fraction, others in the shortest digits.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return value.description
    }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quote: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
