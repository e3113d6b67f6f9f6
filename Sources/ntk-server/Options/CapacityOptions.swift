import ArgumentParser
import Batching
import ComputeExecutor
import NTKService

/// What bounds all requests together.
struct CapacityOptions: ParsableArguments {
    private static let memorySetting = Setting(variable: "NTK_MEMORY_BUDGET", standard: Capacity.standardMemoryBytes)
    private static let waitSetting = Setting(variable: "NTK_MEMORY_WAIT", standard: Seconds(30))
    private static let rowsSetting = Setting(variable: "NTK_BATCH_MAX_ROWS", standard: BatchLimits().batchWeight)
    private static let delaySetting = Setting(variable: "NTK_BATCH_MAX_DELAY", standard: 0.0)
    private static let queueSetting = Setting(variable: "NTK_BATCH_QUEUE", standard: BatchLimits().queueItems)
    private static let bytesSetting = Setting(variable: "NTK_BATCH_QUEUE_BYTES", standard: BatchLimits().queueBytes)

    @Option(
        help: memorySetting.help(
            "Memory that all requests together may take, with their bodies; what does not fit waits, for --memory-wait, then 503",
            unit: " bytes: five eighths of the machine's or the control group's"))
    var memoryBudget: Int?

    @Option(help: waitSetting.help("Seconds that a request may wait for memory before it is answered with 503."))
    var memoryWait: Seconds?

    @Option(help: rowsSetting.help("Rows of predictions that are computed together at the most; 1 computes every request by itself."))
    var batchMaxRows: Int?

    @Option(help: delaySetting.help("Seconds that requests wait, while others are computed, for more to be computed with."))
    var batchMaxDelay: Double?

    @Option(help: queueSetting.help("Requests that may wait for a batch; more get 503."))
    var batchQueue: Int?

    @Option(help: bytesSetting.help("Bytes of the requests that may wait for a batch; more get 503."))
    var batchQueueBytes: Int?

    func capacity() throws -> Capacity {
        var limits = BatchLimits()
        limits.batchWeight = try atLeastOne(Self.rowsSetting.resolve(batchMaxRows), "--batch-max-rows")
        let delay = try Self.delaySetting.resolve(batchMaxDelay)
        guard (0...60).contains(delay) else { throw ValidationError("--batch-max-delay must be from 0 to 60 seconds.") }
        limits.delay = .seconds(delay)
        limits.queueItems = try atLeastOne(Self.queueSetting.resolve(batchQueue), "--batch-queue")
        limits.queueBytes = try atLeastOne(Self.bytesSetting.resolve(batchQueueBytes), "--batch-queue-bytes")
        let memory = try atLeastOne(Self.memorySetting.resolve(memoryBudget), "--memory-budget")
        let wait = try Self.waitSetting.resolve(memoryWait).duration
        let recycled = min(memory / 10, 1 << 30)
        let budget = MemoryBudget(bytes: memory, patience: wait, recycled: recycled)
        guard budget.holdAddresses() else {
            throw ValidationError(
                "--memory-budget of \(memory) bytes needs twice as many bytes of addresses, which the system or a limit (ulimit -v) does not allow.")
        }
        return Capacity(memory: budget, batching: limits.batchWeight == 1 ? nil : limits)
    }
}
