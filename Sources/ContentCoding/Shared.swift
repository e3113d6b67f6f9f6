internal import Locks

/// A value behind a lock, for closures to share.
final class Shared<Value>: Sendable {
    let lock: Lock<Value>

    init(_ value: sending Value) { lock = Lock(value) }
}
