internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import Jobs
internal import LinearAlgebra
internal import Metrics
internal import TensorFormats

// Requests that become jobs, and the work on them.
extension NTKService {
    /// Makes a job of a request that is sound. It is on the disk when this returns.
    func submit(_ request: RoutedRequest, to jobs: JobBoard, _ computation: some Computing) async throws -> ServerResponse {
        let key = try IdempotencyKey(request.head)
        let (limits, seconds, content) = (limits, jobSeconds, request.content)
        let requestID = Self.requestID(request.head)
        let fingerprint = { @Sendable in IdempotencyKey.fingerprint(request.request) }
        let body = LargeBody(content, limit: limits.memoryBytes) { guess, tiles in
            let task = try computation.decode(RequestBody.value(content, limit: limits.memoryBytes, guess, on: tiles))
            let estimate = self.estimate(task)
            try check(estimate, seconds: seconds)
            return try jobs.submit(
                key.map { JobID($0.hash) } ?? .random(), target: request.head.path ?? "/",
                contentType: request.head.headerFields[.contentType] ?? RequestBody.json, fingerprint: fingerprint(), requestID: requestID,
                request: content.bytes)
        }
        switch try await read(body, for: content.lease).value {
        case .accepted(let view): return Self.accepted(view)
        case .known(let view):
            guard try await executor.run({ _ in fingerprint() }) == view.manifest.fingerprint else { throw ProblemDetails.keyReused }
            return Self.accepted(view)
        case .full:
            var problem = ProblemDetails.unavailable(
                "there are as many unfinished jobs as may be, \(jobs.limits.unfinished), or they take too much room")
            problem.headerFields[.retryAfter] = "10"
            throw problem
        }
    }

    private static func count(_ state: JobState, in metrics: JobMetrics) {
        metrics.entered[JobMetrics.State(state.status)].increment()
        guard let start = state.startedAt, let end = state.finishedAt else { return }
        metrics.duration.observe(Double(end - start) / 1000)
    }

    /// Shows how many jobs there are now, by state.
    func countJobs() {
        guard let counts = try? jobs?.counts() else { return }
        for status in JobStatus.allCases { metrics.jobs.current[JobMetrics.State(status)].set(counts[status] ?? 0) }
    }

    /// Begins to work on the jobs of the data directory.
    package func startJobs() {
        guard let jobs else { return }
        let observer: JobBoard.Observer = { [metrics] in Self.count($0, in: metrics.jobs) }
        jobs.start(observer: observer) { run in
            do {
                guard run.losses < jobs.limits.losses else { throw ProblemDetails.lost(servers: run.losses) }
                let lease = try await reserveBody(run.requestBytes())
                let content = RequestContent(
                    bytes: try await executor.run { _ in try run.request() }, type: run.manifest.contentType, lease: lease)
                return try await perform(run, content, computation(of: run.manifest, for: lease))
            } catch let error as CancellationError {
                throw error
            } catch let error where Self.problem(error).status == .serviceUnavailable {
                // The disk is full or away, or there is no memory now: it is tried again.
                throw error
            } catch {
                throw JobFailure(content: Self.problem(error).json(requestID: run.manifest.requestID))
            }
        }
    }

    /// What a job is to compute: that of the operation which the request asked for.
    /// - Parameter lease: the memory of the request's body.
    private func computation(of job: JobManifest, for lease: MemoryBudget.Lease) async throws -> any Computing {
        let routing = Routing(.post, job.target)
        if let fault = routing.fault { throw fault }
        guard case .compute(let prepare)? = routing.operation?.action else { throw Routing.nothing }
        return try await prepare(self, routing.path, lease)
    }

    /// Does what a job asks for, and stores the result.
    /// - Returns: a text that says what was stored.
    private func perform(_ run: JobRun, _ content: RequestContent, _ computation: some Computing) async throws -> [UInt8] {
        let (memory, meter) = (limits.memoryBytes, meter)
        var body = LargeBody(
            content, limit: memory, priority: .background,
            { guess, tiles in
                let task = try computation.decode(RequestBody.value(content, limit: memory, guess, on: tiles))
                guard peakBytes(task) <= memory else { throw ProblemDetails.overMemory(estimate(task), limit: memory) }
                return task
            }, peakBytes: { computationBytes($0) })
        body.isPatient = true
        let (task, leases) = try await read(body, for: content.lease)
        defer { withExtendedLifetime(leases) {} }
        return try await executor.run(priority: .background) { tiles in
            let answer: ComputedAnswer
            if let blockwise = task as? any BlockwiseTask, let found = try blockwise.answer(in: run, on: tiles) {
                answer = found
            } else {
                let (start, expected) = (ContinuousClock.now, max(meter.seconds(task.work), 1e-3))
                let reporting = ReportingTiles(tiles) { _, _ in
                    let seconds = expected * run.before + (ContinuousClock.now - start) / .seconds(1)
                    run.report(min(seconds / expected, 0.99), etaSeconds: max(expected - seconds, 0))
                }
                let keeping = KeepingTiles(reporting, keeper: run)
                answer =
                    try run.isFirstAttempt
                    ? meter.time(task.work, on: executor) { try computation.run(task, on: keeping) }.0 : computation.run(task, on: keeping)
            }
            return try StoredAnswer.store(answer, isOneArray: task.answersOneArray, in: run)
        }
    }
}

extension ProblemDetails {
    fileprivate static func lost(servers: Int) -> ProblemDetails {
        ProblemDetails(
            status: .internalServerError, type: .jobLost, title: "The server died whenever it worked on this",
            detail: "\(servers) attempts in a row ended with the death of the server, as when memory runs out; a smaller request, or more memory, "
                + "expected")
    }
}

/// A task whose result is made in blocks, each of which is kept as soon as it is finished.
protocol BlockwiseTask: ComputeTask {
    /// Nil if it is not worth dividing.
    func answer(in run: JobRun, on tiles: any TileExecutor) throws -> ComputedAnswer?
}

extension JobMetrics.State {
    fileprivate init(_ status: JobStatus) {
        self =
            switch status {
            case .queued: .queued
            case .running: .running
            case .succeeded: .succeeded
            case .failed: .failed
            case .cancelled: .cancelled
            case .damaged: .damaged
            }
    }
}
