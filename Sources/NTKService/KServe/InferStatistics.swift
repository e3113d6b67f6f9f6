internal import ArtifactStore
internal import Locks
internal import TensorFormats

/// What Triton's statistics extension tells of each model: how often it was asked, and the time that each step took.
final class InferStatistics: Sendable {
    /// Number and sum of durations.
    private struct Durations {
        var count = 0
        var nanoseconds = 0

        mutating func add(_ duration: Duration, count: Int = 1) {
            let (seconds, attoseconds) = duration.components
            self.count += count
            nanoseconds += Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        }
    }

    /// How long one inference took, in all and step by step.
    struct Times {
        var total, queue, input, infer, output: Duration
    }

    private struct Model {
        var rows = 0
        var last = 0
        var success = Durations()
        var fail = Durations()
        var queue = Durations()
        var input = Durations()
        var infer = Durations()
        var output = Durations()
    }

    private let models = Lock<[ArtifactID: Model]>([:])
    /// Models that are counted. One more takes the place of any other: a regressor is as soon asked as it is forgotten.
    private static let most = 65_536

    /// - Parameters:
    ///   - rows: points that were predicted.
    ///   - milliseconds: since 1970.
    func succeeded(_ id: ArtifactID, rows: Int, at milliseconds: Int, _ times: Times) {
        update(id) { model in
            model.rows += rows
            model.last = milliseconds
            model.success.add(times.total)
            model.queue.add(times.queue)
            model.input.add(times.input)
            model.infer.add(times.infer)
            model.output.add(times.output)
        }
    }

    func failed(_ id: ArtifactID, after duration: Duration) { update(id) { $0.fail.add(duration) } }

    func forget(_ id: ArtifactID) { models.withLock { _ = $0.removeValue(forKey: id) } }

    private func update(_ id: ArtifactID, _ change: (inout Model) -> Void) {
        models.withLock { models in
            if models[id] == nil, models.count >= Self.most, let other = models.keys.first { models[other] = nil }
            change(&models[id, default: Model()])
        }
    }

    /// `{"model_stats": […]}` of some models, also of those without requests.
    func json(_ ids: [ArtifactID]) -> [UInt8] {
        let known = models.withLock { $0 }
        var json = JSONWriter()
        json.beginObject()
        json.key("model_stats")
        json.beginArray()
        for id in ids { Self.write(id, known[id] ?? Model(), to: &json) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private static func write(_ id: ArtifactID, _ model: Model, to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", id.description)
        json.member("version", KServe.version)
        json.member("last_inference", model.last)
        json.member("inference_count", model.rows)
        json.member("execution_count", model.success.count)
        json.key("inference_stats")
        json.beginObject()
        let all = [
            ("success", model.success), ("fail", model.fail), ("queue", model.queue), ("compute_input", model.input),
            ("compute_infer", model.infer), ("compute_output", model.output), ("cache_hit", Durations()), ("cache_miss", Durations()),
        ]
        for (name, durations) in all {
            json.key(name)
            json.beginObject()
            json.member("count", durations.count)
            json.member("ns", durations.nanoseconds)
            json.endObject()
        }
        json.endObject()
        for name in ["batch_stats", "memory_usage"] {
            json.key(name)
            json.beginArray()
            json.endArray()
        }
        json.endObject()
    }
}
