import Activations
import Glibc

/// What an activation makes of the errors of angles: those of what came before it, and at least those of unit vectors that are rounded.
struct AngleErrors {
    /// The largest error behind, of values relative to √(K11 K22), and of angles.
    private(set) var value = 0.0
    private(set) var angle = 0.0
    private let points1, points2: DualActivation.Points
    private let before: Double
    private let isSharp: Bool
    /// √(x / q) with the x on whose size angles depend.
    private let scaleRoot: Double?
    private let amplification: Double
    /// Whether both points are one, number by number: then a position's gap from itself is exact.
    private let areEqual: Bool

    private static let rounding = 4 * Double.ulpOfOne
    /// Slopes of cosines from which rounding alone may show.
    private static let large = 30.0

    /// nil where errors stay below rounding.
    init?(
        _ dual: DualActivation, _ points1: DualActivation.Points, _ points2: DualActivation.Points, angleError: Double, areEqual: () -> Bool
    ) {
        amplification = max(points1.amplification, points2.amplification)
        isSharp = dual.isSharp
        guard angleError > 0 || isSharp || amplification > Self.large else { return nil }
        (self.points1, self.points2) = (points1, points2)
        before = max(angleError, Self.rounding)
        scaleRoot = dual.scaleRoot
        self.areEqual = areEqual()
    }

    /// Adds a pair, by its gaps before and behind and κ̇.
    mutating func add(_ i: Int, _ j: Int, gap: Double, derivative: Double, behind: Double) {
        let (root1, root2) = (points1.kappaRoots[i], points2.kappaRoots[j])
        guard root1 > 0, root2 > 0, !(areEqual && i == j && gap == 0 && gap.sign == .plus) else { return }
        let (a1, a2) = (points1.variances[i].squareRoot(), points2.variances[j].squareRoot())
        let theta = (2 * abs(gap)).squareRoot() + before
        // The gap behind is the integral of κ̇ √(q1 q2 / κ11 κ22) sin θ over θ.
        let gapError = isSharp ? 2 / .pi * before : abs(derivative) * (a1 / root1) * (a2 / root2) * theta * before
        angle = max(angle, gapError / max((2 * abs(behind)).squareRoot(), gapError.squareRoot()))
        guard !isSharp else {
            value = max(value, gapError)
            return
        }
        // κ̇ falls within an angle of 1 / scale, as (1 + t²)^(−1/2) with t = scale θ or twice as fast: by so much it may be off.
        let scale = max(min((scaleRoot ?? 0) * (a1 * a2).squareRoot(), 4 * amplification), 1)
        let (most, least) = (scale * theta, scale * max(theta - 2 * before, 0))
        let (high, low) = (hypot(1, most), hypot(1, least))
        let difference = (most - least) / high * ((most + least) / low) / (high + low)
        value = max(value, gapError, min(2 * difference, 1))
    }
}
