internal import Locks
internal import NTK

/// The kernels of the architectures that were asked for last, checked and planned: a client asks for one again and again, and that takes as
/// long as to compute a small matrix.
final class KernelCache: Sendable {
    private struct Entry: Sendable {
        var architecture: Layer
        var shape: [Int]
        var kernel: AnalyticKernel
    }

    private static let capacity = 16
    /// Deeper ones would take memory that is not reserved, and are no small work anyway.
    private static let mostDepth = 256

    /// The last used comes first.
    private let entries = Lock<[Entry]>([])

    func kernel(_ architecture: Layer, shape: [Int], at pointer: String) throws(ProblemDetails) -> AnalyticKernel {
        if let known = find(architecture, shape) { return known }
        let kernel = try architecture.analyticKernel(shape: shape, at: pointer)
        // Of points with positions a plan may be large, and is a small part of the work.
        guard shape.count == 1, kernel.depth <= Self.mostDepth else { return kernel }
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries.removeLast() }
            entries.insert(Entry(architecture: architecture, shape: shape, kernel: kernel), at: 0)
        }
        return kernel
    }

    private func find(_ architecture: Layer, _ shape: [Int]) -> AnalyticKernel? {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.shape == shape && $0.architecture == architecture }) else { return nil }
            if index > 0 { entries.insert(entries.remove(at: index), at: 0) }
            return entries[0].kernel
        }
    }
}
