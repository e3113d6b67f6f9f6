/// How the pairs of a value are held. Covariances alone would lose half the digits of the angle between positions that nearly coincide, or are
/// nearly opposite.
enum PairForm: Sendable {
    /// Squared distances q1 + q2 − 2 K: windows and affine maps keep them as they are, which is fastest, but they tell the angle badly between
    /// positions on one line and of very different length.
    case distance
    /// The signed gap of the cosine, see `dual_activations.h`: right at every scale. K = √q1 √q2 cosine.
    case gap
    /// K itself, where positions were mixed.
    case covariance
}
