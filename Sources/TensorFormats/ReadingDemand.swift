/// Memory that it takes to read a file of arrays, beside the file itself: its numbers become float64.
package struct ReadingDemand: Sendable, Equatable {
    /// Bytes of the arrays, which stay.
    package var kept = 0
    /// Bytes that are let go before the next array is read.
    package var passing = 0
    /// Bytes of texts, which are still to be parsed.
    package var text = 0

    package init(kept: Int = 0, passing: Int = 0, text: Int = 0) {
        (self.kept, self.passing, self.text) = (kept, passing, text)
    }

    /// At the most at once.
    package var bytes: Int { kept + passing }

    /// One array after another.
    static func += (sum: inout ReadingDemand, next: ReadingDemand) {
        sum.kept += next.kept
        sum.passing = max(sum.passing, next.passing)
        sum.text += next.text
    }

    /// What an array takes beside its numbers.
    static let arrayBytes = 512
}
