import Dispatch
import Foundation

/// SIGTERM and SIGINT as something to wait for. A second one ends the process at once.
struct TerminationSignals {
    private let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        self.stream = stream
        sources = [SIGTERM, SIGINT].map { number in
            // The source sees the signal only where its default action is off.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in
                _ = signal(number, SIG_DFL)
                continuation.yield(number)
            }
            source.resume()
            return source
        }
    }

    /// The name of the first signal that comes.
    func first() async -> String {
        for await number in stream { return number == SIGTERM ? "SIGTERM" : "SIGINT" }
        return "none"
    }
}
