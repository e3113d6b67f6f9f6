internal import Glibc

extension ModeSpectrum {
    /// What a sample of N points knows: its N/4 largest modes, which are near those of the kernel's operator; the others as a ridge, and what the
    /// targets have in them as unlearnable.
    ///
    /// For training sets of at most N/4 points: beyond, modes that the sample does not tell from noise would have to be told.
    /// - Parameters:
    ///   - eigenvalues: of the Gram matrix, in descending order.
    ///   - coefficients: Σ over outputs of (u_jᵀy)², in the same order.
    ///   - outputs: of which errors are the mean.
    package init(sampleEigenvalues eigenvalues: [Double], coefficients: [Double], outputs: Int) {
        let n = Double(eigenvalues.count)
        let kept = Swift.max(eigenvalues.count / 4, 1)
        let scale = 1 / (n * Double(outputs))
        let known = zip(eigenvalues, coefficients).prefix(kept).filter { $0.0 > 0 }
        self.init(
            eigenvalues: known.map { $0.0 / n }, powers: known.map { $0.1 * scale },
            tail: eigenvalues.dropFirst(kept).reduce(0) { $0 + Swift.max($1, 0) } / n, unlearnable: coefficients.dropFirst(kept).reduce(0, +) * scale)
    }
}

/// The smallest number of samples whose error is at most a target, where the error falls with their number.
package func requiredSamples(target: Double, error: (Double) throws -> Double?) rethrows -> Double? {
    func isEnough(_ n: Double) throws -> Bool { try error(n).map { $0 <= target } ?? false }
    var high = 1.0
    while !(try isEnough(high)) {
        high *= 2
        if high > 1e15 { return nil }
    }
    var low = high / 2
    guard high > 1 else { return 1 }
    while high - low > 1, high - low > 1e-9 * high {
        let middle = ((low + high) / 2).rounded()
        if middle <= low || middle >= high { break }
        if try isEnough(middle) { high = middle } else { low = middle }
    }
    return high
}
