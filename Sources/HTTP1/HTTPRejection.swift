package import HTTPTypes

/// A message that is refused before any handler sees it, with the rule that it breaks.
package struct HTTPRejection: Error, Sendable, Equatable {
    package var status: HTTPResponse.Status
    /// What was expected and what came, for the person who reads the answer.
    package var detail: String
    /// The broken rule, such as "RFC 9112 §6.3".
    package var rule: String
    /// For a 503: when to come again.
    package var retryAfterSeconds: Int?

    package init(status: HTTPResponse.Status, detail: String, rule: String) {
        self.status = status
        self.detail = detail
        self.rule = rule
    }
}
