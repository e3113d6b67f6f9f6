/// Eigenvalues of a kernel's operator with the squares of the target's coefficients, equal ones as one entry.
package struct ModeSpectrum: Sendable {
    /// λ, each above 0.
    package var eigenvalues: [Double]
    /// How many modes of the kind there are, or are taken to be.
    package var multiplicities: [Double]
    /// v², summed over the modes of a kind, and over outputs.
    package var powers: [Double]
    /// Σ λ of modes that are so small that they only add a ridge.
    package var tail: Double
    /// What the target has in them, and its noise: never learned.
    package var unlearnable: Double

    package init(eigenvalues: [Double], multiplicities: [Double]? = nil, powers: [Double], tail: Double = 0, unlearnable: Double = 0) {
        self.eigenvalues = eigenvalues
        self.multiplicities = multiplicities ?? eigenvalues.map { _ in 1 }
        self.powers = powers
        self.tail = tail
        self.unlearnable = unlearnable
    }

    /// Σ L(λ) over modes with L = λ/(λ + γ), and Σ L².
    func learned(_ gamma: Double) -> (sum: Double, squares: Double) {
        var (sum, squares) = (0.0, 0.0)
        for (value, count) in zip(eigenvalues, multiplicities) {
            let learned = value / (value + gamma)
            sum += count * learned
            squares += count * learned * learned
        }
        return (sum, squares)
    }
}
