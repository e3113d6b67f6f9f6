import Dispatch
import Glibc
import Locks

/// The signals that the server heeds: SIGTERM and SIGINT end it, a second one at once; SIGHUP has files read again.
struct Signals {
    private final class Reloaders: Sendable {
        let list = Lock<[@Sendable () -> Void]>([])
    }

    private let stream: AsyncStream<Int32>
    private let reloaders: Reloaders
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        let reloaders = Reloaders()
        self.stream = stream
        self.reloaders = reloaders
        let endings = [SIGTERM, SIGINT].map { number in
            Self.source(number) { @Sendable in
                _ = signal(number, SIG_DFL)
                continuation.yield(number)
            }
        }
        let hangup = Self.source(SIGHUP) { @Sendable in
            for reload in reloaders.list.withLock({ $0 }) { reload() }
        }
        sources = endings + [hangup]
    }

    /// Has `reload` called whenever SIGHUP comes, after those that were given before. It must say itself when it fails.
    func onHangup(_ reload: @escaping @Sendable () -> Void) { reloaders.list.withLock { $0.append(reload) } }

    /// The name of the first signal that asks for the end.
    func termination() async -> String {
        for await number in stream { return number == SIGTERM ? "SIGTERM" : "SIGINT" }
        return "none"
    }

    private static func source(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        // The source sees the signal only where its default action is off.
        _ = signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handler)
        source.activate()
        return source
    }
}
