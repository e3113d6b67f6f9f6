extension Double {
    @inlinable package var squared: Double { self * self }
}

extension Int {
    /// The next multiple of `size` that is not below.
    @inlinable package func roundedUp(to size: Int) -> Int { (self + size - 1) / size * size }
}
