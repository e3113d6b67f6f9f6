import HTTP1
import Locks

/// Knows how many connections are open, in all and from each network, and whether there is room for one more.
final class ConnectionCensus: Sendable {
    enum Verdict {
        case served
        /// There is no room to serve it, but some to say so.
        case refused(ServerStatistics.Refusal)
        /// There is not even that.
        case dropped(ServerStatistics.Refusal)
    }

    private struct Counts {
        var served = 0
        var refused = 0
        var byNetwork: [UInt64: Int] = [:]
    }

    private let most: Int
    private let mostByNetwork: Int
    /// Refusals that may be on their way at once: an answer, and the wait for it to be read.
    private let mostRefused: Int
    private let counts = Lock(Counts())

    /// - Parameters:
    ///   - mostByNetwork: Zero for no limit.
    ///   - mostRefused: Nil for what fits the number that is served.
    init(most: Int, mostByNetwork: Int, mostRefused: Int? = nil) {
        self.most = most
        self.mostByNetwork = mostByNetwork > 0 ? mostByNetwork : .max
        self.mostRefused = mostRefused ?? min(256, max(16, most / 16))
    }

    /// To be followed by `leave`, unless the verdict is `dropped`.
    func enter(_ network: UInt64) -> Verdict {
        counts.withLock { counts in
            let refusal: ServerStatistics.Refusal
            if counts.served >= most {
                refusal = .serverLimit
            } else if mostByNetwork < .max, counts.byNetwork[network, default: 0] >= mostByNetwork {
                refusal = .addressLimit
            } else {
                counts.served += 1
                if mostByNetwork < .max { counts.byNetwork[network, default: 0] += 1 }
                return .served
            }
            guard counts.refused < mostRefused else { return .dropped(refusal) }
            counts.refused += 1
            return .refused(refusal)
        }
    }

    func leave(_ network: UInt64, wasServed: Bool) {
        counts.withLock { counts in
            guard wasServed else {
                counts.refused -= 1
                return
            }
            counts.served -= 1
            guard mostByNetwork < .max, let left = counts.byNetwork[network] else { return }
            counts.byNetwork[network] = left > 1 ? left - 1 : nil
        }
    }
}
