internal import Locks
internal import TensorFormats

/// Counts requests of each client in windows of fixed length. A client's window begins with its first request, so that not all come back at
/// once; within it there are as many requests as the limit says, and what is left can be told exactly.
package final class RateLimiter: Sendable {
    /// What a client has left.
    package struct Allowance: Sendable, Equatable {
        package var isGranted: Bool
        package var remaining: Int
        /// Whole seconds, at least 1, until all is there again.
        package var resetSeconds: Int

        /// The `RateLimit` field.
        package var field: String { "\"default\";r=\(remaining);t=\(resetSeconds)" }
    }

    private struct Window {
        var end: ContinuousClock.Instant
        var used: Int
    }

    /// Windows of this generation and the one before; none lasts longer than a generation.
    private struct Table {
        var current: [ExactText: Window] = [:]
        var previous: [ExactText: Window] = [:]
        var rotation: ContinuousClock.Instant
    }

    package let limit: RateLimit
    /// Clients that are remembered in a generation. More make it end early: then some get a new window too soon, and memory stays bounded.
    private let capacity: Int
    private let table: Lock<Table>

    package init(_ limit: RateLimit, capacity: Int = 65_536, now: ContinuousClock.Instant = .now) {
        self.limit = limit
        self.capacity = capacity
        table = Lock(Table(rotation: now + .seconds(limit.seconds)))
    }

    /// Takes one request from what a client has.
    package func take(_ client: String, now: ContinuousClock.Instant = .now) -> Allowance {
        let client = ExactText(client)
        return table.withLock { table in
            rotate(&table, now)
            var window = Self.window(table, client, now) ?? Window(end: now + .seconds(limit.seconds), used: 0)
            let isGranted = window.used < limit.requests
            if isGranted { window.used += 1 }
            table.current[client] = window
            return allowance(window, now, isGranted: isGranted)
        }
    }

    /// What a client has, without taking any.
    package func look(_ client: String, now: ContinuousClock.Instant = .now) -> Allowance {
        let client = ExactText(client)
        return table.withLock { table in
            let window = Self.window(table, client, now) ?? Window(end: now + .seconds(limit.seconds), used: 0)
            return allowance(window, now, isGranted: window.used < limit.requests)
        }
    }

    private func allowance(_ window: Window, _ now: ContinuousClock.Instant, isGranted: Bool) -> Allowance {
        let (seconds, attoseconds) = (window.end - now).components
        return Allowance(
            isGranted: isGranted, remaining: limit.requests - window.used, resetSeconds: max(1, Int(seconds) + (attoseconds > 0 ? 1 : 0)))
    }

    private static func window(_ table: Table, _ client: ExactText, _ now: ContinuousClock.Instant) -> Window? {
        guard let window = table.current[client] ?? table.previous[client], window.end > now else { return nil }
        return window
    }

    private func rotate(_ table: inout Table, _ now: ContinuousClock.Instant) {
        guard now >= table.rotation || table.current.count >= capacity else { return }
        table.previous = table.current
        table.current = [:]
        table.rotation = now + .seconds(limit.seconds)
    }
}
