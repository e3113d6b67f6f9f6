import ArgumentParser
import CSupport
import ComputeExecutor
import ContentCoding
import Gateway
import Glibc
import HTTPServer
import Jobs
import LinearAlgebra
import Logging
import Logs
import Metrics
import NTKService

/// `ntk-server serve`: puts the pieces together and runs them until a signal comes.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer requests until SIGTERM or SIGINT.",
        discussion: """
            The first line on standard output names the address: "listening on http://127.0.0.1:8080". Logs go to standard error. \
            Every option can be given by the environment variable that stands beside it; the option wins.
            """)

    /// Beyond the drain timeout, for what has to be written down, and for the end itself.
    private static let grace = Duration.seconds(2)

    static let hostSetting = Setting(variable: "NTK_HOST", standard: "127.0.0.1")
    static let portSetting = Setting(variable: "NTK_PORT", standard: 8080)
    private static let dataDirSetting = Setting(variable: "NTK_DATA_DIR", standard: "")
    private static let workersSetting = Setting(variable: "NTK_WORKERS", standard: Machine.cores)
    private static let loopsSetting = Setting(variable: "NTK_EVENT_LOOPS", standard: Machine.cores)
    private static let bodySetting = Setting(variable: "NTK_MAX_BODY_BYTES", standard: 1 << 30)
    private static let memorySetting = Setting(
        variable: "NTK_MAX_REQUEST_MEMORY", standard: Machine.memoryBytes / 2)
    private static let secondsSetting = Setting(variable: "NTK_MAX_REQUEST_SECONDS", standard: 3600.0)
    private static let cacheSetting = Setting(
        variable: "NTK_CACHE_BYTES", standard: Machine.memoryBytes / 8)

    @Option(help: hostSetting.help("Name or address to listen on."))
    var host: String?

    @Option(help: portSetting.help("Port to listen on; 0 picks a free one."))
    var port: Int?

    @Option(
        help: ArgumentHelp(
            "Directory of what must survive the process; made if it is missing (NTK_DATA_DIR; default: a temporary one).", valueName: "dir"))
    var dataDir: String?

    @Option(
        help: cacheSetting.help(
            "Memory for stored regressors that are in use, as much for networks, and as much for programs of model files",
            unit: " bytes each: an eighth of this machine's"))
    var cacheBytes: Int?

    @Option(help: workersSetting.help("Threads that compute."))
    var workers: Int?

    @Option(help: loopsSetting.help("Threads that serve connections."))
    var eventLoops: Int?

    @Option(help: bodySetting.help("Largest request body", unit: " bytes"))
    var maxBodyBytes: Int?

    @Option(help: memorySetting.help("Most memory for the matrices of one request", unit: " bytes: half of this machine's"))
    var maxRequestMemory: Int?

    @Option(help: secondsSetting.help("Most seconds that one request may compute, by its estimate."))
    var maxRequestSeconds: Double?

    @OptionGroup(title: "TLS")
    var tls: TLSOptions

    @OptionGroup(title: "Connections")
    var connections: ConnectionOptions

    @OptionGroup(title: "Ending")
    var ending: EndingOptions

    @OptionGroup(title: "Access")
    var access: AccessOptions

    @OptionGroup(title: "Logs")
    var logs: LogOptions

    @OptionGroup(title: "Gzip")
    var contentCoding: ContentCodingOptions

    @OptionGroup(title: "Capacity")
    var capacity: CapacityOptions

    @OptionGroup(title: "Jobs")
    var jobOptions: JobOptions

    func run() async throws {
        // A reader of the logs may close its pipe.
        _ = signal(SIGPIPE, SIG_IGN)
        BLAS.prepare()
        let logWriter = LogWriter()
        defer { logWriter.flush() }
        let logHandler = try logs.handler(to: logWriter)
        let logger = Logger(label: "ntk-server") { _ in logHandler }
        let signals = Signals()
        let lifecycle = Lifecycle()
        let keys = try access.keyRing()
        let crossOrigin = try access.crossOrigin()
        let listeningHost = try Self.hostSetting.resolve(host)
        let hosts = try access.hosts(listening: listeningHost, hasKeys: keys != nil)
        let control = try access.control(keys, crossOrigin, hosts)
        try access.check(host: listeningHost, hasKeys: keys != nil)
        if let keys { signals.onHangup { @Sendable in keys.reload(logger) } }

        var service = NTKService.Limits()
        service.bodyBytes = try atLeastOne(Self.bodySetting.resolve(maxBodyBytes), "--max-body-bytes")
        service.memoryBytes = try atLeastOne(Self.memorySetting.resolve(maxRequestMemory), "--max-request-memory")
        service.seconds = try Self.secondsSetting.resolve(maxRequestSeconds)
        let executor = ComputeExecutor(width: try atLeastOne(Self.workersSetting.resolve(workers), "--workers"))
        let dataPath = try Self.dataDirSetting.resolve(dataDir)
        let directory = try DataDirectory(path: dataPath)
        let cacheBytes = try atLeastOne(Self.cacheSetting.resolve(cacheBytes), "--cache-bytes")
        let networks = try dataPath.isEmpty ? NetworkStore() : NetworkStore(directory: dataPath + "/networks", capacity: cacheBytes)
        let regressors: RegressorLibrary
        let jobs: JobBoard
        do {
            jobs = try JobBoard(directory: directory.path + "/jobs", limits: jobOptions.limits())
            regressors = try RegressorLibrary(dataDirectory: directory.path, cacheBytes: cacheBytes)
        } catch {
            throw ValidationError("Cannot use the data directory \(directory.path): \(error)")
        }

        let coding = try contentCoding.configuration(maximumBodyBytes: service.bodyBytes)
        var configuration = HTTPServerConfiguration()
        configuration.host = listeningHost
        guard let port = UInt16(exactly: try Self.portSetting.resolve(port)) else { throw ValidationError("--port must be from 0 to 65535.") }
        configuration.port = port
        configuration.eventLoops = try atLeastOne(Self.loopsSetting.resolve(eventLoops), "--event-loops")
        try connections.apply(to: &configuration)
        configuration.tls = try tls.context()
        if let context = configuration.tls { signals.onHangup { [logger] in context.reload(logger) } }
        let (drainDelay, drainTimeout) = (try ending.delay(), try ending.timeout())

        let metrics = ServerMetrics()
        metrics.registry.info("ntk_build_info", "The version of the program.", BuildLabels(version: NTKService.version))
        ConnectionMetrics.register(configuration.counters, in: metrics.registry)
        ProcessMetrics.register(in: metrics.registry)
        StorageMetrics.register(networks, regressors, jobs, in: metrics.registry)

        let jobSeconds = try jobOptions.mostSeconds()
        let capacity = try capacity.capacity()
        ntk_keep_freed_blocks(capacity.memory.total)
        let watch = DirectoryWatch(directory)
        let server: HTTPServer
        do {
            let service = NTKService(
                executor: executor, limits: service, networks: networks, regressors: regressors, jobs: jobs, jobSeconds: jobSeconds,
                metrics: metrics, capacity: capacity
            ) { lifecycle.isDraining ? "the server ends" : await watch.fault() }
            service.startJobs()
            configuration.bodyMemory = service.bodyMemory
            let coded = ContentCodingResponder(service, executor: executor, configuration: coding, memory: service.bodyMemory)
            let gateway = Gateway(coded, access: control, crossOrigin: crossOrigin, metrics: metrics.http, log: logHandler)
            server = try .start(configuration, responder: gateway)
        } catch {
            throw ValidationError("Cannot listen on \(configuration.host) port \(configuration.port): \(error)")
        }
        OutputFile.standardOutput.write("listening on \(configuration.tls == nil ? "http" : "https")://\(server.address)\n")
        logger.info("started", metadata: ["version": "\(NTKService.version)", "workers": "\(executor.width)"])

        let signal = await signals.termination()
        lifecycle.beginDraining()
        Lifecycle.endProcess(after: drainDelay + drainTimeout + Self.grace * 2)
        // Draining: jobs stop at a checkpoint, so that requests have the cores; clients that follow a job reconnect to another server.
        let checkpoint = Task { await jobs.checkpoint() }
        lifecycle.beforeExit { await checkpoint.value }
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        try? await Task.sleep(for: drainDelay)
        await server.shutdown(within: drainTimeout)
        await lifecycle.end(within: Self.grace)
        directory.removeIfTemporary()
        logger.info("stopped")
    }
}
