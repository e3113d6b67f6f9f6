internal import Activations
internal import Glibc
internal import LinearAlgebra

/// An activation and its derivative on many elements.
enum ActivationLoop {
    /// target ← φ(source).
    static func apply<Element: Scalar>(
        _ activation: Activation, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        switch activation {
        case .abRelu(let a, let b):
            let (a, b) = (Element(a), Element(b))
            for index in 0..<count {
                let u = unsafe source[index]
                unsafe target[index] = (u > 0 ? b : a) * u
            }
        case .erf(let a, let b, let c):
            for index in 0..<count { unsafe target[index] = Element(a * Glibc.erf(b * Double(source[index])) + c) }
        default:
            for index in 0..<count { unsafe target[index] = Element(activation.evaluate(Double(source[index])).value) }
        }
    }

    /// target ← φ'(source); at the kink of relu and its kin 0 of the left side counts, as in PyTorch.
    static func derivative<Element: Scalar>(
        _ activation: Activation, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        switch activation {
        case .abRelu(let a, let b):
            let (a, b) = (Element(a), Element(b))
            // abs has slope 0 at 0 (its sign).
            let kink = a == -b ? 0 : a
            for index in 0..<count {
                let u = unsafe source[index]
                unsafe target[index] = u > 0 ? b : u < 0 ? a : kink
            }
        case .erf(let a, let b, _):
            let scale = a * b * 2 / Double.pi.squareRoot()
            for index in 0..<count {
                let z = unsafe b * Double(source[index])
                unsafe target[index] = Element(scale * exp(-z * z))
            }
        default:
            for index in 0..<count { unsafe target[index] = Element(activation.evaluate(Double(source[index])).derivative) }
        }
    }
}
