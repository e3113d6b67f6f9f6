internal import Glibc

/// The expected test error of ridge regression on n points and k random features of a kernel, from its spectrum (Simon, Karkada et al. 2023,
/// "More is better", arXiv 2311.14646). With δ the ridge and the tail of the spectrum, and κ, γ > 0 from
///
///     Σ λ/(λ + γ) + δ/κ = n,   Σ λ/(λ + γ) + k κ/γ = k,
///     L = λ/(λ + γ),  z = Σ L,  q = Σ L²,
///     E = [Σ (1 − L − κ L/(λ + γ) · k/(k − q)) v² + σ²] / (1 − (q (k − 2z) + z²)/(n (k − q))).
///
/// Without a number of features γ = κ, and E is that of eigenlearning (Simon et al. 2021, arXiv 2110.03922).
package struct ExpectedError: Sendable {
    package let kappa: Double
    package let gamma: Double
    /// z: the number of modes that are learned.
    package let learnedModes: Double
    /// Nil where it is infinite: at n = k or n = modes without a ridge.
    package let testError: Double?

    /// - Parameters:
    ///   - samples: n > 0.
    ///   - ridge: ≥ 0, on the Gram matrix.
    ///   - features: k > 0; nil: the kernel itself.
    /// - Time: some hundred passes over the spectrum.
    package init(_ spectrum: ModeSpectrum, samples n: Double, ridge: Double, features: Double? = nil) {
        let delta = ridge + spectrum.tail
        // κ = γ (k − z)/k, so that one unknown is left, of which the first equation's left side falls.
        func kappa(_ gamma: Double, _ z: Double) -> Double { features.map { gamma * max($0 - z, 0) / $0 } ?? gamma }
        func excess(_ gamma: Double) -> Double {
            let z = spectrum.learned(gamma).sum
            // More modes than features are never learned.
            if let features, z >= features { return .infinity }
            return z + (delta > 0 ? delta / kappa(gamma, z) : 0) - n
        }
        // Bisection of the numbers in their order.
        var (low, high) = (UInt64(0), Double.greatestFiniteMagnitude.bitPattern)
        while low + 1 < high {
            let middle = low + (high - low) / 2
            if excess(Double(bitPattern: middle)) > 0 { low = middle } else { high = middle }
        }
        let modes = spectrum.multiplicities.reduce(0, +)
        let gamma = delta == 0 && modes <= min(n, features ?? .infinity) ? 0 : Double(bitPattern: high)
        let (z, q) = spectrum.learned(gamma)
        self.gamma = gamma
        let ownKappa = kappa(gamma, z)
        self.kappa = ownKappa
        learnedModes = z
        var bias = 0.0
        let (ratio, remainder) = features.map { ($0 / ($0 - q), (q * ($0 - 2 * z) + z * z) / (n * ($0 - q))) } ?? (1, q / n)
        for (value, power) in zip(spectrum.eigenvalues, spectrum.powers) where power != 0 {
            let rest = gamma / (value + gamma)
            bias += features == nil ? rest * rest * power : (rest - ownKappa * value / (value + gamma) / (value + gamma) * ratio) * power
        }
        let free = 1 - remainder
        let total = bias + spectrum.unlearnable
        testError = total == 0 ? 0 : free > 0 && (total / free).isFinite ? total / free : nil
    }
}

extension ModeSpectrum {
    /// The ridge that makes the expected error the least, and that error; the kernel's largest eigenvalues bound the search.
    package func bestRidge(samples: Double, features: Double? = nil) -> (ridge: Double, error: ExpectedError) {
        func error(_ logarithm: Double) -> Double {
            ExpectedError(self, samples: samples, ridge: exp(logarithm), features: features).testError ?? .infinity
        }
        let scale = (eigenvalues.max() ?? 1) * samples
        var (low, high) = (log(scale) - 35, log(scale) + 5)
        let golden = (5.0.squareRoot() - 1) / 2
        var (left, right) = (high - golden * (high - low), low + golden * (high - low))
        var (first, second) = (error(left), error(right))
        for _ in 0..<50 {
            if first <= second {
                (high, right, second) = (right, left, first)
                left = high - golden * (high - low)
                first = error(left)
            } else {
                (low, left, first) = (left, right, second)
                right = low + golden * (high - low)
                second = error(right)
            }
        }
        let ridge = exp((low + high) / 2)
        return (ridge, ExpectedError(self, samples: samples, ridge: ridge, features: features))
    }
}
