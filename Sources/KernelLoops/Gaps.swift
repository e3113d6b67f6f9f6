/// A cosine's signed gap from its distances to 1 and to −1, of which the smaller is exact.
@inlinable
@inline(__always)
package func signedGap<Element: FloatingPoint>(near: Element, far: Element) -> Element { near <= far ? near : -far }

/// 1 − cosine and 1 + cosine.
@inlinable
@inline(__always)
package func distances<Element: FloatingPoint>(ofGap gap: Element) -> (near: Element, far: Element) {
    gap.sign == .minus ? (2 + gap, -gap) : (gap, 2 - gap)
}

@inlinable
@inline(__always)
package func cosine<Element: FloatingPoint>(ofGap gap: Element) -> Element { gap.sign == .minus ? -(1 + gap) : 1 - gap }
