/// Bounds of a queue of requests that are computed together. A weight is what a request adds to a batch: rows, or operations.
@usableFromInline
package struct BatchLimits: Sendable, Equatable {
    /// Weight of one batch at the most. A request that weighs more goes alone.
    package var batchWeight = 256
    /// How long, while others compute, a batch that is not full waits for more from the arrival of its oldest request.
    package var delay = Duration.zero
    /// Requests that may wait.
    package var queueItems = 4_096
    /// Bytes of the requests that may wait.
    package var queueBytes = 256 << 20

    package init() {}
}

/// Why a request was not let into the queue.
@usableFromInline
package enum BatchRejection: Error, Sendable, Equatable {
    case tooManyItems(retryAfterSeconds: Int)
    case tooManyBytes(retryAfterSeconds: Int)
    /// It would not be done in the time that it has.
    case deadline(expectedSeconds: Double)
}
