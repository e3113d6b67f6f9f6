internal import HTTPTypes
internal import Jobs
internal import TensorFormats

/// A query parameter that an operation has.
struct QueryParameter: Sendable {
    let name: String
    /// The words that it may be; nil where its value is read by the operation.
    var values: [String]?

    static let format = QueryParameter(name: "format", values: AnswerFormat.allCases.map(\.rawValue))
    static let estimateOnly = QueryParameter(name: "estimate_only", values: ["true", "false"])
    static let limit = QueryParameter(name: "limit")
    static let after = QueryParameter(name: "after")
    static let jobStatus = QueryParameter(name: "status", values: JobStatus.allCases.map(\.rawValue))

    static let name = QueryParameter(name: "name")

    /// The name that people give to what they store; nil if there is none.
    static func name(of target: Target) throws(ProblemDetails) -> String? {
        guard let text = target.parameter("name") else { return nil }
        guard (1...200).contains(text.utf8.count), !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .badParameter("name", "a name of 1 to 200 bytes without control characters", text)
        }
        return text
    }

    /// As it is told to a client.
    private var words: String { values.map { "\(name)=\($0.joined(separator: "|"))" } ?? name }

    /// - Parameter known: the parameters that mean something.
    /// - Throws: 400 for a parameter that comes twice, that there is none of, or whose value is none of its words.
    static func check(_ query: [(name: String, value: String)], against known: [QueryParameter]) throws(ProblemDetails) {
        for (index, (name, _)) in query.enumerated() where query[..<index].contains(where: { $0.name.isSame(as: name) }) {
            throw .repeated("the query parameter \(name.prefix(80))")
        }
        for (name, value) in query {
            guard let parameter = known.first(where: { $0.name.isSame(as: name) }) else {
                let all = known.map(\.words).sorted().joined(separator: ", ")
                throw ProblemDetails(
                    status: .badRequest, type: .unknownParameter, title: "The query has a parameter that means nothing here",
                    detail: "\(name)=\(value) came; \(all.isEmpty ? "no parameters" : all) expected")
            }
            if let values = parameter.values, !values.contains(where: { $0.isSame(as: value) }) {
                throw .badParameter(name, "one of \(values.joined(separator: ", "))", value)
            }
        }
    }
}
