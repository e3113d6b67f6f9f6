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

/// A cosine's signed gap from its distances to 1 and to −1, of which the smaller is exact.
@inline(__always)
func signedGap<Element: FloatingPoint>(near: Element, far: Element) -> Element { near <= far ? near : -far }

/// 1 − cosine and 1 + cosine.
@inline(__always)
func distances<Element: FloatingPoint>(ofGap gap: Element) -> (near: Element, far: Element) {
    gap.sign == .minus ? (2 + gap, -gap) : (gap, 2 - gap)
}

@inline(__always)
func cosine<Element: FloatingPoint>(ofGap gap: Element) -> Element { gap.sign == .minus ? -(1 + gap) : 1 - gap }
