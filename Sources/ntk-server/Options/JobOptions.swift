import ArgumentParser
import Jobs

/// What becomes of long work.
struct JobOptions: ParsableArguments {
    private static let standard = JobBoard.Limits()

    private static let workersSetting = Setting(variable: "NTK_JOB_WORKERS", standard: standard.workers)
    private static let queueSetting = Setting(variable: "NTK_JOB_QUEUE", standard: standard.unfinished)
    private static let lossesSetting = Setting(variable: "NTK_JOB_ATTEMPTS", standard: standard.losses)
    private static let leaseSetting = Setting(variable: "NTK_JOB_LEASE", standard: standard.leaseSeconds)
    private static let retentionSetting = Setting(variable: "NTK_JOB_RETENTION", standard: standard.retentionSeconds)
    private static let storageSetting = Setting(variable: "NTK_JOB_STORAGE", standard: standard.bytes)
    private static let secondsSetting = Setting(variable: "NTK_MAX_JOB_SECONDS", standard: 604_800.0)

    @Option(help: workersSetting.help("Jobs that are worked on at the same time; 0: jobs are taken, and left to other servers on the directory."))
    var jobWorkers: Int?

    @Option(help: queueSetting.help("Most jobs that have not ended."))
    var jobQueue: Int?

    @Option(
        help: lossesSetting.help(
            "Servers that may die while they work on a job, one after another and with nothing kept, before the job has failed."))
    var jobAttempts: Int?

    @Option(
        help: leaseSetting.help(
            "Seconds without a sign of life after which another server on the directory goes on with a server's jobs, as when that hangs."))
    var jobLease: Double?

    @Option(help: retentionSetting.help("How long a job that has ended is kept", unit: " seconds"))
    var jobRetention: Int?

    @Option(help: storageSetting.help("Most room for jobs on the disk; beyond it those that ended first go", unit: " bytes"))
    var jobStorage: Int?

    @Option(help: secondsSetting.help("Most seconds that one job may compute, by its estimate."))
    var maxJobSeconds: Double?

    func limits() throws -> JobBoard.Limits {
        var limits = JobBoard.Limits()
        limits.workers = try atLeast(0, Self.workersSetting.resolve(jobWorkers), "--job-workers")
        limits.unfinished = try atLeast(1, Self.queueSetting.resolve(jobQueue), "--job-queue")
        limits.losses = try atLeast(1, Self.lossesSetting.resolve(jobAttempts), "--job-attempts")
        limits.leaseSeconds = try Self.leaseSetting.resolve(jobLease)
        guard limits.leaseSeconds >= 3, limits.leaseSeconds < 1e9 else { throw ValidationError("--job-lease must be at least 3.") }
        // So that the time in milliseconds is a number.
        limits.retentionSeconds = min(try atLeast(0, Self.retentionSetting.resolve(jobRetention), "--job-retention"), 1 << 40)
        limits.bytes = try atLeast(1, Self.storageSetting.resolve(jobStorage), "--job-storage")
        return limits
    }

    func mostSeconds() throws -> Double { try Self.secondsSetting.resolve(maxJobSeconds) }

    private func atLeast(_ least: Int, _ value: Int, _ option: String) throws -> Int {
        guard value >= least else { throw ValidationError("\(option) must be at least \(least).") }
        return value
    }
}
