internal import ArtifactStore
internal import Batching
internal import ComputeExecutor
internal import LinearAlgebra
internal import Metrics

/// What a task has to do with batches.
enum BatchMembership: Sendable {
    /// Rows of predictions of one regressor become one kernel and one product.
    case prediction(RegressorPredictionRequest)
    /// Something small that runs beside others in one parallel pass.
    case pass
}

/// The three kinds of batches: rows of predictions of one regressor become one product; small kernels share one parallel pass; equal
/// requests in flight share one computation. None changes a result by a bit.
struct Batches: Sendable {
    typealias Computation = @Sendable (any TileExecutor) throws -> ComputedAnswer

    /// Rows of one regressor with one covariance.
    struct PredictionKey: Hashable, Sendable {
        var id: ArtifactID
        var covariance: Covariance
    }

    enum PassKey: Hashable, Sendable {
        case kernels
    }

    /// A request with its memory, which it holds as long as its batch computes: its client may go before that.
    struct Prediction: Sendable {
        var request: RegressorPredictionRequest
        var leases: [MemoryBudget.Lease]
    }

    let predictions: BatchScheduler<PredictionKey, Prediction, Computed>
    let pass: BatchScheduler<PassKey, Computation, Result<Computed, any Error>>
    /// The time that a request gives is its own.
    let flights = SingleFlight<RequestKey, Computed> { if case .deadline? = $0 as? BatchRejection { true } else { false } }
    let shared: Counter

    /// Seconds that weigh as much as a row.
    private static let secondsPerWeight = 13e-6

    init?(_ limits: BatchLimits?, _ executor: ComputeExecutor, _ meter: WorkMeter, _ metrics: BatchMetrics, _ regressors: RegressorEndpoints?) {
        guard let limits, limits.batchWeight > 1 else { return nil }
        shared = metrics.shared
        // One batch of a regressor at a time, which has all cores: what comes meanwhile is the next.
        predictions = BatchScheduler(
            limits: limits, lanes: (1, executor.width), events: .counting(.prediction, in: metrics)
        ) { _, members, completion in
            let requests = members.map(\.request)
            let expected = requests.reduce(Work.none) { $0 + $1.work }
            let work: @Sendable (any TileExecutor) throws -> [Computed] = { tiles in
                defer { withExtendedLifetime(members) {} }
                let (answers, start, duration) = try meter.time(expected, on: executor) {
                    try regressors?.predict(together: requests, tiles: tiles) ?? []
                }
                return answers.map { Computed(answer: $0, start: start, duration: duration) }
            }
            return executor.begin(priority: WorkPriority(seconds: meter.seconds(expected)), work, completion: completion)
        }
        // A pass has as many members as are there, each on one core.
        pass = BatchScheduler(limits: limits, lanes: (executor.width, executor.width), events: .counting(.kernel, in: metrics)) {
            _, works, completion in
            let work: @Sendable (any TileExecutor) throws -> [Result<Computed, any Error>] = { tiles in
                let results = works.map { _ in ResultSlot() }
                try tiles.forEach(works.count) { index in
                    let start = ContinuousClock.now
                    let executor: any TileExecutor = works.count == 1 ? tiles : SerialTiles()
                    results[index].set(Result { Computed(answer: try works[index](executor), start: start, duration: ContinuousClock.now - start) })
                }
                return try results.map { try $0.get() }
            }
            return executor.begin(priority: .small, work, completion: completion)
        }
    }

    static func weight(_ work: Work) -> Int { Int(min(work.seconds / secondsPerWeight, 1e9)) + 1 }
}

/// An answer, and when it was computed.
struct Computed: Sendable {
    var answer: ComputedAnswer
    var start: ContinuousClock.Instant
    var duration: Duration
}
