internal import Batching
internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import TensorFormats

extension NTKService {
    /// Work of some tens of microseconds is done on the event loop: to hand it over would cost as much.
    private static let smallWork = 2e-5

    /// body → wire value → task → result → answer, with the times of each; or a job that does the same later.
    func compute<Work: Computing>(_ request: RoutedRequest, _ computation: Work) async throws -> ServerResponse {
        let isEstimate = request.target.parameter(QueryParameter.estimateOnly.name) == "true"
        if let jobs, !isEstimate, Preference.respondsAsync(request.head) { return try await submit(request, to: jobs, computation) }
        guard let seconds = try Deadline.seconds(request.head) else {
            return try await compute(request, isEstimate: isEstimate, within: nil, computation)
        }
        return try await Deadline.run(within: seconds) {
            try await compute(request, isEstimate: isEstimate, within: seconds, computation)
        }
    }

    private func compute<Work: Computing>(
        _ request: RoutedRequest, isEstimate: Bool, within seconds: Double?, _ computation: Work
    ) async throws -> ServerResponse {
        var timing = ServerTiming()
        let (limits, content, head, target) = (limits, request.content, request.head, request.target)
        let accepted = AnswerFormat.accepted(head, target)
        @Sendable func read(
            _ guess: JSONDemand.Guess, _ timing: ServerTiming, on tiles: (any TileExecutor)? = nil
        ) throws -> (task: Work.Task, format: AnswerFormat, timing: ServerTiming) {
            var timing = timing
            let task = try computation.decode(RequestBody.value(content, limit: limits.memoryBytes, guess, on: tiles))
            let estimate = self.estimate(task)
            timing.end("parse")
            if isEstimate { throw EstimateOnly(estimate: estimate) }
            try check(estimate, seconds: limits.seconds)
            guard let format = accepted.first(where: { $0 != .npy || task.answersOneArray }) else {
                throw ProblemDetails.notAcceptable([AnswerFormat.json, .npz].map(\.mediaType), head, target)
            }
            return (task, format, timing)
        }
        do {
            let body = LargeBody(
                content, limit: limits.memoryBytes, { [timing] in try read($0, timing, on: $1) }, peakBytes: { computationBytes($0.task) })
            let isSmall = content.bytes.count <= Self.smallBody && !RequestBody.swells(content, limit: limits.memoryBytes)
            var (parsed, leases) = try await self.read(body, isSmall: isSmall, for: content.lease)
            let (task, format) = (parsed.task, parsed.format)
            timing = parsed.timing
            if task.work.seconds <= Self.smallWork {
                timing.end("queue")
                let answer = try computation.run(task, on: SerialTiles())
                timing.end("compute")
                return try self.answer(answer, format, &timing, holding: leases)
            }
            if leases.isEmpty { leases.append(try await reserve(peakBytes(task), for: content.lease)) }
            var (computed, isShared) = try await share(request.request) { [leases] in
                try await execute(task, within: seconds, holding: leases) { task, tiles in try computation.run(task, on: tiles) }
            }
            timing.end("queue", at: computed.start)
            timing.end("compute", at: computed.start + computed.duration)
            // The operation that stored it answers 201.
            if isShared, computed.answer.status == .created { computed.answer.status = .ok }
            return try self.answer(computed.answer, format, &timing, holding: leases)
        } catch let only as EstimateOnly {
            var json = JSONWriter()
            json.beginObject()
            only.estimate.write(to: &json)
            json.endObject()
            return ServerResponse(
                headerFields: [.contentType: "application/json", .serverTiming: timing.value], body: .bytes(json.bytes))
        } catch let rejection as BatchRejection {
            throw ProblemDetails(rejection)
        }
    }

    private func answer(
        _ answer: ComputedAnswer, _ format: AnswerFormat, _ timing: inout ServerTiming, holding leases: [MemoryBudget.Lease]
    ) throws -> ServerResponse {
        let numbers = answer.body.numbers
        let content =
            format == .json && ResponseBody.isWhole(numbers)
            ? .bytes(try answer.body.json())
            : try ResponseBody.pieces(answer.body.pieces(as: format), numbers: numbers, isCopied: format != .json, on: executor)
        // What is streamed is encoded after this field has gone.
        if case .bytes = content { timing.end("encode") }
        var fields = answer.headerFields
        fields[.contentType] = format.mediaType
        fields[.vary] = "Accept"
        fields[.serverTiming] = timing.value
        return ServerResponse(status: answer.status, headerFields: fields, body: content.holding(leases))
    }

    /// Ends a request that only asks what it would cost.
    private struct EstimateOnly: Error {
        var estimate: Estimate
    }
}
