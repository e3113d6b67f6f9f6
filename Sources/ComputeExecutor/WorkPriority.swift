/// How soon work is due. What is more urgent starts first, and never waits for the end of what is less urgent.
package enum WorkPriority: Int, CaseIterable, Comparable, Sendable {
    /// Some milliseconds.
    case small
    /// Up to a second: interactive requests.
    case normal
    /// Up to a minute.
    case heavy
    /// Longer.
    case long
    /// Jobs, for which no connection waits.
    case background

    /// Of a request by what it is estimated to take.
    package init(seconds: Double) {
        self = seconds <= 0.01 ? .small : seconds <= 1 ? .normal : seconds <= 60 ? .heavy : .long
    }

    package static func < (left: WorkPriority, right: WorkPriority) -> Bool { left.rawValue < right.rawValue }
}
