import LinearAlgebra
import NTK
import Testing

/// Duals by quadrature take bounded time and memory, whatever variance they are given.
struct NumericalDualBoundsTests {
    static let activations: [Activation] = [.mish, .swish, .tanh, .softplus]

    /// From an infinite scale the pieces of the quadrature would never come to an end.
    @Test(.timeLimit(.minutes(1)), arguments: activations, [Double.infinity, .nan])
    func variancesThatAreNoNumbersDoNotConverge(_ activation: Activation, _ variance: Double) throws {
        let dual = try DualActivation(activation)
        let points = unsafe [variance].withUnsafeBufferPointer { unsafe dual.points($0) }
        #expect(points.kappa == [.infinity])
        #expect(points.errorEstimate == .infinity)
    }

    /// Nobody waits for the points of cancelled work: none is made, and the next who asks gets them right.
    @Test(.timeLimit(.minutes(1))) func cancelledWorkMakesNoPoints() throws {
        let variances = (1...20_000).map { Double($0) * 1e20 }
        let dual = try DualActivation(.mish)
        let isCancelled: @Sendable () -> Bool = { true }
        let left = CurrentWork.asking(isCancelled) {
            unsafe variances.withUnsafeBufferPointer { unsafe dual.points($0) }
        }
        #expect(left.kappa.allSatisfy { $0 == .infinity })
        let points = unsafe [variances[0]].withUnsafeBufferPointer { unsafe dual.points($0) }
        // Far from zero mish is max(x, 0).
        #expect(abs(points.kappa[0] / variances[0] - 0.5) < 1e-9)
    }
}
