import Activations
import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

// Activations of pairs that are held by the gap of their cosine.
extension SpatialPass {
    func activationGaps(_ step: ActivationStep, _ index: Int, _ input: Int, _ plane: Plane) throws {
        if plan.forms[input] == .covariance { try unsafe toGaps(plane, input) }
        if let abRelu = step.abRelu {
            let (asymmetry, power) = (Element(abRelu.asymmetry), Element(abRelu.power))
            unsafe Element.abRelu(plane.base, plane.theta, plane.list.elements, asymmetry, power)
            // Of κ̇; angles themselves grow no larger.
            if asymmetry != 0 { uncertainty += angleError }
            if asymmetry != 0, power != 0 { try unsafe clearZeros(plane) }
            return
        }
        let (points1, points2) = (try needed(first.duals[index], "an activation's points"), try needed(second.duals[index], "an activation's points"))
        var errors = AngleErrors(step.dual, points1, points2, angleError: angleError) { isOwn || first.isEqual(second) }
        var lost = 0.0
        let width = unsafe plane.list.grid.width
        let numbers = scratch.numbers(0, 4 * width)
        let (gaps, covariance, derivative, behind) = unsafe (numbers.base, numbers.base + width, numbers.base + 2 * width, numbers.base + 3 * width)
        unsafe forEachRow(plane) { row in
            let target = unsafe plane.base + row.start
            for c in 0..<width {
                // Two zero vectors are one.
                let areZero = points1.variances[row.firstPosition + c * row.step] == 0 && points2.variances[row.secondPosition + c] == 0
                unsafe gaps[c] = areZero ? 0 : Double(target[c])
            }
            unsafe step.dual.pairs(
                points1, row.firstPosition, ownStride: row.step, points2, row.secondPosition, count: width, gaps: gaps,
                covariance: covariance, derivative: plane.theta == nil && errors == nil ? nil : derivative, gapsBehind: behind)
            if let root = step.dual.waveRoot {
                for c in 0..<width {
                    lost = max(lost, Self.lost(root, points1.variances[row.firstPosition + c * row.step], points2.variances[row.secondPosition + c]))
                }
            }
            if errors != nil {
                for c in 0..<width {
                    unsafe errors?.add(
                        row.firstPosition + c * row.step, row.secondPosition + c, gap: gaps[c], derivative: derivative[c], behind: behind[c])
                }
            }
            for c in 0..<width {
                unsafe target[c] = Element(behind[c])
                if let theta = unsafe plane.theta { unsafe theta[row.start + c] *= Element(derivative[c]) }
            }
        }
        uncertainty += lost + (errors?.value ?? 0)
        angleError = errors?.angle ?? 0
    }

    /// By what waves err whose variances, of which each is right to ε, nearly coincide: ε root² |q1 − q2| exp(−root² (√q1 − √q2)² / 2).
    private static func lost(_ root: Double, _ q1: Double, _ q2: Double) -> Double {
        let (a1, a2) = (root * q1.squareRoot(), root * q2.squareRoot())
        return 2 * Double.ulpOfOne * abs(a1 - a2) * (a1 + a2) * exp(-(a1 - a2).squared / 2)
    }
}
