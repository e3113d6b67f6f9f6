/// Why a kernel cannot be computed for some data.
public enum KernelError: Error, Sendable, Equatable {
    /// The two data sets have different numbers of features.
    case featuresDiffer(x1: Int, x2: Int)
    /// The own kernel value of a point of the set with this name is beyond the largest number of the precision.
    case overflow(set: String, point: Int, precision: String)
    /// The variance of a point at some layer is below the smallest number, and a layer behind asks for more of it than that it is small.
    case underflow(set: String, point: Int)
    /// The value of two points is no finite number of the precision, though those of the points are.
    /// - Parameter isAmongOneSet: both are points of x1.
    case pairOverflow(first: Int, second: Int, isAmongOneSet: Bool, precision: String)
}
