internal import Synchronization

/// How many operations a second this machine does, learned from the computations it has ended.
final class WorkMeter: Sendable {
    /// Bits of a float64.
    private let rate: Atomic<UInt64>

    /// - Parameter width: cores that compute.
    init(width: Int) {
        // A core's worth of vectorized loops, until something has been measured.
        rate = Atomic((1.5e10 * Double(width)).bitPattern)
    }

    func seconds(_ operations: Int) -> Double { Double(operations) / Double(bitPattern: rate.load(ordering: .relaxed)) }

    /// Learns from a computation; short ones say more of their overhead than of the machine.
    func learn(operations: Int, in duration: Duration) {
        let seconds = duration / .seconds(1)
        guard seconds > 0.02, operations > 0 else { return }
        let old = Double(bitPattern: rate.load(ordering: .relaxed))
        let measured = min(max(Double(operations) / seconds, 1e7), 1e13)
        rate.store((0.8 * old + 0.2 * measured).bitPattern, ordering: .relaxed)
    }
}
