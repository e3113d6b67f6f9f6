/// Why a kernel cannot be computed for some data.
public enum KernelError: Error, Sendable, Equatable {
    /// The two data sets have different numbers of features.
    case featuresDiffer(x1: Int, x2: Int)
    /// A point's own kernel value is beyond the largest number of the precision.
    case overflow(set: Int, point: Int, precision: String)
}
