/// What a scheduler tells of itself.
@usableFromInline
package struct BatchEvents: Sendable {
    @usableFromInline
    package enum Event: Sendable {
        /// The queue changed: requests and bytes that wait now.
        case queue(items: Int, bytes: Int)
        /// A batch began: its weight, its requests, and how long each waited.
        case started(weight: Int, delays: [Duration])
        /// A batch ended.
        case ended(after: Duration)
        case rejected(BatchRejection)
        /// A client went while its request waited, or while it was computed.
        case cancelled(whileRunning: Bool)
    }

    @usableFromInline
    package var report: @Sendable (Event) -> Void

    package init(report: @escaping @Sendable (Event) -> Void = { _ in }) { self.report = report }
}
