internal import Glibc

/// A lock on a file (flock) that ends with the process at the latest: two servers, or two runners of one, never work on the same job. The time of
/// the file is the heartbeat of its holder.
final class JobLock: Sendable {
    private let descriptor: Int32

    /// Nil if another holds it, or there is no such file.
    init?(_ path: String) {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Shows the others that the holder lives.
    func beat() { _ = futimens(descriptor, nil) }
}
