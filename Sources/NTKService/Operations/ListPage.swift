/// The part of a list that is asked for: `?limit=…&after=…`, the same for every list.
struct ListPage<Cursor: Sendable>: Sendable {
    /// Entries at the most.
    let limit: Int
    /// Behind which they stand; nil for the first ones.
    let after: Cursor?

    /// - Parameter cursor: reads what `next` of the page before gave; nil for anything else.
    /// - Throws: `bad-parameter`.
    init(_ target: Target, cursor: (String) -> Cursor?) throws(ProblemDetails) {
        if let text = target.parameter("limit") {
            guard let number = DecimalText.integer(text), ListLimits.range.contains(number) else {
                throw .badParameter("limit", "an integer from \(ListLimits.range.lowerBound) to \(ListLimits.range.upperBound)", text)
            }
            limit = number
        } else {
            limit = ListLimits.standard
        }
        if let text = target.parameter("after") {
            guard let cursor = cursor(text) else { throw .badParameter("after", "what next of the page before gave", text) }
            after = cursor
        } else {
            after = nil
        }
    }
}

/// How many entries a page of a list may have.
enum ListLimits {
    static let range = 1...1_000
    static let standard = 100
}
