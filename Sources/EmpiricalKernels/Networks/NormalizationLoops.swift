internal import Glibc
internal import LinearAlgebra

/// Layer normalization and softmax of one point or row, with their derivatives.
enum NormalizationLoops {
    /// y = (x − mean) · s with s = 1/√(variance + ε) of each group; s goes to `inverseStds`.
    static func forward<Element: Scalar>(
        _ groups: [Int32], _ groupCount: Int, _ epsilon: Double, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>,
        _ inverseStds: UnsafeMutablePointer<Element>
    ) {
        let size = Double(groups.count / groupCount)
        var means = [Double](repeating: 0, count: groupCount)
        for (element, group) in groups.enumerated() { means[Int(group)] += unsafe Double(source[element]) }
        for group in 0..<groupCount { means[group] /= size }
        var variances = [Double](repeating: 0, count: groupCount)
        for (element, group) in groups.enumerated() {
            let difference = unsafe Double(source[element]) - means[Int(group)]
            variances[Int(group)] += difference * difference
        }
        for group in 0..<groupCount {
            let sum = variances[group] / size + epsilon
            // A group of equal elements without an ε has no direction: its output is 0 and has no derivative.
            unsafe inverseStds[group] = sum > 0 ? Element(1 / sum.squareRoot()) : 0
        }
        for (element, group) in groups.enumerated() {
            unsafe target[element] = Element((Double(source[element]) - means[Int(group)]) * Double(inverseStds[Int(group)]))
        }
    }

    /// dx = s · (dy − mean(dy) − y · mean(dy · y)).
    static func backward<Element: Scalar>(
        _ groups: [Int32], _ groupCount: Int, _ output: UnsafePointer<Element>, _ inverseStds: UnsafePointer<Element>,
        _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
    ) {
        let size = Double(groups.count / groupCount)
        var means = [Double](repeating: 0, count: groupCount)
        var products = means
        for (element, group) in groups.enumerated() {
            let cotangent = unsafe Double(source[element])
            means[Int(group)] += cotangent / size
            products[Int(group)] += unsafe cotangent * Double(output[element]) / size
        }
        for (element, group) in groups.enumerated() {
            let group = Int(group)
            unsafe target[element] = Element(
                Double(inverseStds[group]) * (Double(source[element]) - means[group] - Double(output[element]) * products[group]))
        }
    }

    static func softmax<Element: Scalar>(_ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int) {
        var largest = -Element.infinity
        for place in 0..<count { largest = unsafe max(largest, source[place]) }
        var sum = 0.0
        for place in 0..<count {
            let value = unsafe exp(Double(source[place] - largest))
            unsafe target[place] = Element(value)
            sum += value
        }
        let scale = Element(1 / sum)
        for place in 0..<count { unsafe target[place] *= scale }
    }

    /// dx = y · (dy − Σ dy · y).
    static func softmaxBackward<Element: Scalar>(
        _ output: UnsafePointer<Element>, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        var product = 0.0
        for place in 0..<count { product += unsafe Double(source[place]) * Double(output[place]) }
        for place in 0..<count { unsafe target[place] = output[place] * (source[place] - Element(product)) }
    }
}
