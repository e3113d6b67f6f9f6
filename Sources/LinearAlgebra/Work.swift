/// What a computation has to do, counted by kind of work, before anything is done.
///
/// A kind is what one rate holds for: matrix products run a hundred times as many operations in a second as formulas of single numbers do,
/// and one processor is good at the former, another at the latter. Time is Σ counts / rates, with the rates of `Rates`.
public struct Work: Sendable, Equatable {
    public enum Kind: Int, CaseIterable, Sendable {
        /// Operations in vectorized loops over elements, most of them in the cache.
        case loops
        /// Operations of formulas that are evaluated for one number after another, functions of the mathematical library among them.
        case formulas
        /// Terms of series.
        case series
        /// Operations of functions that are integrated numerically.
        case quadrature
        /// Operations of matrix products.
        case products
        /// Operations of factorizations and eigenvectors.
        case factorizations
        /// Bytes that are moved between memory and processor.
        case memory
        /// Microseconds of what has a price of its own, however little it does: loops begun, layers called, arrays made.
        case calls
    }

    public typealias Counts = SIMD8<Double>

    /// What all threads share.
    public private(set) var shared: Counts
    /// What one thread does while the others wait.
    public private(set) var alone: Counts

    public static let none = Work(shared: .zero, alone: .zero)

    private init(shared: Counts, alone: Counts) {
        self.shared = shared
        self.alone = alone
    }

    /// So much of one kind, shared by all threads.
    public init(_ kind: Kind, _ count: Double) {
        self.init(shared: .zero, alone: .zero)
        shared[kind.rawValue] = Self.bounded(count)
    }

    /// The same work done by one thread.
    public var onOneThread: Work { Work(shared: .zero, alone: shared + alone) }

    /// Floating-point operations, to within a small factor.
    public var operations: Int {
        var counts = shared + alone
        counts[Kind.memory.rawValue] = 0
        counts[Kind.calls.rawValue] *= 1_000
        return Int(min(counts.sum(), 0x1p62))
    }

    /// As many operations of vectorized loops take as long.
    public var equivalentOperations: Double { seconds / Rates.standard.seconds[Kind.loops.rawValue] }

    public static func + (left: Work, right: Work) -> Work {
        Work(shared: bounded(left.shared + right.shared), alone: bounded(left.alone + right.alone))
    }

    public static func += (left: inout Work, right: Work) { left = left + right }

    public static func * (work: Work, times: Double) -> Work {
        Work(shared: bounded(work.shared * times), alone: bounded(work.alone * times))
    }

    public static func * (work: Work, times: Int) -> Work { work * Double(times) }

    /// No count is so large that a sum of counts would be infinite.
    private static let most = 1e200

    // A NaN, as of infinity times zero, is as much as there can be.
    private static func bounded(_ count: Double) -> Double { count.isNaN ? most : min(max(count, 0), most) }

    private static func bounded(_ counts: Counts) -> Counts {
        let numbers = counts.replacing(with: .init(repeating: most), where: counts .!= counts)
        return numbers.clamped(lowerBound: .zero, upperBound: .init(repeating: most))
    }
}

extension Work {
    /// Seconds that a core takes for one of each kind.
    public struct Rates: Sendable, Equatable {
        public var seconds: Counts

        /// Of a server core with 512-bit vectors at some 2.5 GHz, measured by `make estimate-campaign`.
        public static let standard = Rates(seconds: [1 / 1.5e10, 1e-9, 0.5e-9, 1e-9, 2e-11, 4e-11, 2e-10, 1e-6])

        /// Each kind slower by a factor.
        public func slower(by factors: Counts) -> Rates { Rates(seconds: seconds * factors) }
    }

    /// Seconds of each kind where as many threads share the work.
    public func parts(threads: Int, _ rates: Rates = .standard) -> Counts { (shared / Double(max(threads, 1)) + alone) * rates.seconds }

    /// Seconds that one core takes.
    public var seconds: Double { parts(threads: 1).sum() }
}
