import Foundation
import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Kernels whose limits and eigenvalues are known in closed form.
struct KnownSpectraTests {
    static let he = 2.0.squareRoot()

    static func network(hidden: Int) -> Layer { .mlp(depth: hidden, weightStd: he) }

    static func kernels(_ x: Matrix<Double>, hidden: Int) throws -> (nngp: Matrix<Double>, ntk: Matrix<Double>) {
        let result = try AnalyticKernel(network(hidden: hidden), features: x.columns).matrices(x, kinds: [.nngp, .ntk], as: Double.self)
        return (try #require(result.nngp), try #require(result.ntk))
    }

    /// Points on the circle of radius √2, so that K(x, x) of the input is 1.
    static func circle(_ angles: [Double]) -> Matrix<Double> {
        Matrix(angles.map { [he * cos($0), he * sin($0)] })
    }

    /// Without biases, at depth l: (1 − c_l) l² → 9π²/2, and Θ / (l + 1) → 1/4 apart from the diagonal.
    @Test func deepLimits() throws {
        let (nngp, ntk) = try Self.kernels(Self.circle([0, 1]), hidden: 3000)
        let cosine = nngp[0, 1] / nngp[0, 0]
        #expect(abs((1 - cosine) * 3000 * 3000 / (4.5 * Double.pi * Double.pi) - 1) < 0.015)
        #expect(abs(ntk[0, 1] / ntk[0, 0] - 0.25) < 0.01)
        #expect(abs(ntk[0, 0] / (3001 * nngp[0, 0]) - 1) < 1e-10)
    }

    /// Θ(1 − t) = (h + 1) − (h (h + 1)/2)(√2/π) √t + … for h hidden layers.
    @Test(arguments: [1, 2, 5])
    func smallAngles(hidden: Int) throws {
        for angle in [1e-4, 1e-6] {
            let (nngp, ntk) = try Self.kernels(Self.circle([0, angle]), hidden: hidden)
            let (t, h) = (angle * angle / 2, Double(hidden))
            let slope = h * (h + 1) / 2 * 2.0.squareRoot() / .pi
            let value = ntk[0, 1] / nngp[0, 0]
            #expect(abs(((h + 1) - value) / (slope * t.squareRoot()) - 1) < 20 * angle)
        }
    }

    /// Equispaced points on the circle: the matrix is circulant, with the Fourier coefficients of the kernel, folded, as eigenvalues:
    /// one hidden layer, μ_k of κ_0(c) c + κ_1(c) from Bach 2017.
    @Test func circleSpectrum() throws {
        let n = 48
        let (_, ntk) = try Self.kernels(Self.circle((0..<n).map { 2 * Double.pi * Double($0) / Double(n) }), hidden: 1)
        let scale = ntk[0, 0] / 2
        func coefficient(_ k: Int) -> Double {
            if k == 0 { return 6 / (Double.pi * Double.pi) }
            if k == 1 { return 0.5 }
            let square = Double(k * k)
            return k % 2 == 1 ? 0 : 2 * (square + 3) / (Double.pi * Double.pi * (square - 1) * (square - 1))
        }
        for frequency in 0..<(n / 2) {
            var eigenvalue = 0.0
            for j in 0..<n { eigenvalue += ntk[0, j] / scale * cos(2 * Double.pi * Double(j * frequency) / Double(n)) }
            // μ_k is for e^{ikα}, and both k and −k fold onto each frequency; the tail falls as 1/m².
            let folded = ((-40_000)...40_000).reduce(0.0) { $0 + coefficient(abs(frequency + $1 * n)) } * Double(n)
            #expect(abs(eigenvalue - folded) < 1e-4, "frequency \(frequency): \(eigenvalue), \(folded)")
        }
    }

    /// {±1}^d: Walsh functions are eigenvectors, λ_k = Σ_x κ((d − 2x)/d) Kr_k(x) for every one of degree k.
    @Test func hypercubeSpectrum() throws {
        let d = 6
        let n = 1 << d
        let x = Matrix((0..<n).map { point in (0..<d).map { point >> $0 & 1 == 0 ? 1.0 : -1.0 } })
        let (_, ntk) = try Self.kernels(x, hidden: 2)
        for set in [0, 1, 3, 7, 15, 31, 63, 0b101010] {
            let walsh = (0..<n).map { ($0 & set).nonzeroBitCount % 2 == 0 ? 1.0 : -1.0 }
            let degree = set.nonzeroBitCount
            // The eigenvalue of the first set of this degree, from the first row.
            let first = (1 << degree) - 1
            var expected = 0.0
            for point in 0..<n { expected += ntk[0, point] * ((point & first).nonzeroBitCount % 2 == 0 ? 1.0 : -1.0) }
            for row in [0, 5, n - 1] {
                var value = 0.0
                for column in 0..<n { value += ntk[row, column] * walsh[column] }
                #expect(abs(value - expected * walsh[row]) < 1e-12 * ntk[0, 0] * Double(n))
            }
        }
    }
}

extension KnownSpectraTests {
    /// On the unit sphere: μ_k = (ω_{d−2}/ω_{d−1}) ∫ κ(t) P_k(t) (1 − t²)^((d−3)/2) dt (Funk–Hecke), 20 digits from mpmath; κ normalized as by
    /// Bietti & Mairal 2019: Θ of unit vectors with Σ_k N(d, k) μ_k = κ(1).
    @Test(arguments: [1, 2, 3])
    func sphereSpectrum(hidden: Int) throws {
        let url = try #require(Bundle.module.url(forResource: "Golden/sphere_eigenvalues", withExtension: "json"))
        let golden = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: [String]])
        let expected = try #require(golden["d=3 ntk_\(hidden)hidden"]).compactMap(Double.init)
        // d = 3: μ_k = ½ ∫ κ(cos α) P_k(cos α) sin α dα, by the trapezoidal rule for α² at the ends … composite Gauss–Legendre in α.
        let panels = 400
        let nodes = [-0.9061798459386640, -0.5384693101056831, 0, 0.5384693101056831, 0.9061798459386640]
        let weights = [0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891]
        var angles: [Double] = []
        var measure: [Double] = []
        for panel in 0..<panels {
            for (node, weight) in zip(nodes, weights) {
                let alpha = Double.pi * (Double(panel) + (node + 1) / 2) / Double(panels)
                angles.append(alpha)
                measure.append(weight / 2 * Double.pi / Double(panels) * sin(alpha) / 2)
            }
        }
        let pole = Matrix([[Double(3).squareRoot(), 0, 0]])
        let points = Matrix(angles.map { [Double(3).squareRoot() * cos($0), Double(3).squareRoot() * sin($0), 0] })
        let kernel = try AnalyticKernel(Self.network(hidden: hidden), features: 3)
        let values = try #require(kernel.matrices(pole, points, kinds: [.ntk], as: Double.self).ntk)
        let own = try #require(kernel.diagonals(pole, kinds: [.ntk], as: Double.self).ntk)[0]
        let scale = Double(hidden + 1) / own
        for (degree, value) in expected.enumerated() {
            var sum = 0.0
            for (place, alpha) in angles.enumerated() {
                let t = cos(alpha)
                var (before, legendre) = (1.0, t)
                if degree == 0 { legendre = 1 }
                for k in stride(from: 1, to: degree, by: 1) {
                    (before, legendre) = (legendre, (Double(2 * k + 1) * t * legendre - Double(k) * before) / Double(k + 1))
                }
                sum += measure[place] * scale * values[0, place] * legendre
            }
            #expect(abs(sum - value) < 1e-12, "degree \(degree): \(sum), \(value)")
        }
    }
}
