internal import NTK

/// The variances of an affine layer and the weights of its gradients: K' = C_W ⟨s s⟩ + C_b, Θ' = λ_W ⟨s s⟩ + λ_b + C_W Θ ⟨d d⟩.
struct AffineWeights: Sendable {
    let weightVariance: Double
    let biasVariance: Double
    let weightRate: Double
    let biasRate: Double

    /// - Parameter fanIn: in the standard parameterization, whose weights are not divided by its root, their gradients grow with it.
    init(_ affine: Affine, fanIn: Double) {
        weightVariance = affine.weightStd * affine.weightStd
        biasVariance = affine.biasStd.map { $0 * $0 } ?? 0
        let trained = affine.isTrainable ? 1.0 : 0
        switch affine.parameterization {
        case .ntk: (weightRate, biasRate) = (trained * weightVariance, trained * biasVariance)
        case .standard: (weightRate, biasRate) = (trained * fanIn, affine.biasStd == nil ? 0 : trained)
        }
    }
}
