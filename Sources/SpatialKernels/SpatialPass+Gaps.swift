import Activations
import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

// Operations on pairs that are held by the gap of their cosine. Pairs with a zero vector have the gap 1.
extension SpatialPass {
    func runGaps(_ index: Int, _ inputs: [Plane], _ output: Plane, _ stage: SpatialStage) throws {
        let instruction = program.instructions[index]
        switch instruction.operation {
        case .affine(let step):
            unsafe take(inputs[0], into: output)
            try unsafe affineGaps(step, instruction.inputs[0], output)
        case .activation(let step):
            unsafe take(inputs[0], into: output)
            try unsafe activationGaps(step, index, instruction.inputs[0], output)
        case .layerNorm:
            unsafe take(inputs[0], into: output)
            try unsafe layerNormGaps(index, output)
        case .dropout(let keep):
            unsafe take(inputs[0], into: output)
            unsafe dropoutGaps(keep, output)
        case .sum: try unsafe combineGaps(inputs, inputs.map { _ in 1 }, output)
        case .concatenateChannels(let weights): try unsafe combineGaps(inputs, weights, output)
        case .product: try unsafe productGaps(inputs, output)
        case .window: try unsafe windowGaps(index, needed(stage.windows[index], "a window's table"), inputs[0], output)
        case .isolate: unsafe isolate(inputs[0], output)
        case .concatenate(let axis): try unsafe concatenate(inputs, axis, output)
        case .flatten: try unsafe flattenGaps(inputs[0], output)
        case .map(let map) where map.isSelection: unsafe select(map, inputs[0], output)
        case .map, .globalPool, .attention, .aggregate:
            // Θ as ever, the gaps from the features.
            try unsafe mix(index, inputs, output)
            let (units1, units2) = (try needed(first.units[index + 1], "units of features"), try needed(second.units[index + 1], "units of features"))
            try unsafe loadGaps(output, units1, units2, count: needed(first.features[index + 1], "features").count)
            if hasTheta, !plan.isThetaZero[instruction.inputs[0]], let size1 = first.cancellations[index + 1],
                let size2 = second.cancellations[index + 1]
            {
                let largest = size1.squareRoot() * size2.squareRoot()
                if largest > Self.largestCancellation { uncertainty += 2 * Double(Element.ulpOfOne) * largest }
            }
        }
    }

    /// From unit vectors: (u − v)² / 2 and (u + v)² / 2.
    func loadGaps(_ plane: Plane, _ units1: Storage<Element>, _ units2: Storage<Element>, count channels: Int) throws {
        let list = unsafe plane.list
        let (width, stride) = (list.grid.width, list.grid.stride)
        let room = scratch.elements(40, stride)
        let far = unsafe room.base
        let pairs = try unsafe GapPairs(self, plane.value)
        let (x1, x2) = unsafe (units1.base, units2.base)
        unsafe forEachRow(plane) { row in
            let near = unsafe plane.base + row.start
            unsafe near.initialize(repeating: 0, count: stride)
            unsafe far.initialize(repeating: 0, count: stride)
            let own = row.firstPosition / width * channels * stride + row.firstPosition % width
            let other = row.secondPosition / width * channels * stride
            for channel in 0..<channels {
                let (u, v) = unsafe (x1 + own + channel * stride, x2 + other + channel * stride)
                for c in 0..<width {
                    let (a, b) = unsafe (u[c * row.step], v[c])
                    unsafe near[c] += (a - b) * (a - b) / 2
                    unsafe far[c] += (a + b) * (a + b) / 2
                }
            }
            for c in 0..<width { unsafe near[c] = pairs.product(row, c) > 0 ? signedGap(near: near[c], far: far[c]) : 1 }
        }
    }

    /// Sums of Θ whose terms are no larger lose no more digits than other sums do.
    private static var largestCancellation: Double { 100 }

    /// Covariances to gaps, in place. Of a position with itself the covariance is the variance to the bit.
    func toGaps(_ plane: Plane, _ value: Int) throws {
        let pairs = try unsafe GapPairs(self, value)
        let error = try unsafe uncertainty(plane, value) { row, c in unsafe 1 - abs(plane.base[row.start + c]) / pairs.product(row, c) }
        angleError += error
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) {
                let product = unsafe pairs.product(row, c)
                let cosine = unsafe product > 0 ? min(max(plane.base[row.start + c] / product, -1), 1) : 0
                unsafe plane.base[row.start + c] = signedGap(near: 1 - cosine, far: 1 + cosine)
            }
        }
    }

    /// Rounding of what was summed up to the output's covariance, relative to √(q1 q2).
    func rounding(_ value: Int) -> Double {
        guard let size1 = first.magnitudes[value]?.first, let size2 = second.magnitudes[value]?.first, let q1 = first.variances[value]?.values.first,
            let q2 = second.variances[value]?.values.first, q1 > 0, q2 > 0
        else { return 0 }
        return 2 * Double(Element.ulpOfOne) * (size1 / q1).squareRoot() * (size2 / q2).squareRoot()
    }

    /// The largest error of an angle, from the gaps of a plane's pairs, where covariances are rounded by some ε of what was summed up: δ / θ, and
    /// √(2 δ) where an angle is no larger than that, as between positions that nearly coincide. Of a position with itself all is exact.
    func uncertainty(_ plane: Plane, _ value: Int, _ gap: (PairRow, Int) -> Element) throws -> Double {
        let (own, other) = try variances(value)
        // Made alike, number by number.
        var areEqual: Bool?
        let (size1, size2) = (first.magnitudes[value] ?? own.values, second.magnitudes[value] ?? other.values)
        var worst = 0.0
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) {
                let (i, j) = (row.firstPosition + c * row.step, row.secondPosition + c)
                let (q1, q2) = (own.values[i], other.values[j])
                guard q1 > 0, q2 > 0 else { continue }
                let h = max(Double(gap(row, c)), 0)
                if h == 0 && q1 == q2 && i == j {
                    let isExact = areEqual ?? first.isEqual(second)
                    areEqual = isExact
                    if isExact { continue }
                }
                let rounding = 2 * Double(Element.ulpOfOne) * (size1[i] / q1).squareRoot() * (size2[j] / q2).squareRoot()
                worst = max(worst, rounding / (2 * max(h, rounding / 4)).squareRoot())
            }
        }
        return worst
    }

    /// The planes of covariances that combine with others of the kind.
    func asCovariances(_ inputs: [Plane]) throws -> [Plane] {
        try unsafe inputs.enumerated().map { index, input in
            guard unsafe plan.forms[input.value] == .gap else { return unsafe input }
            let held = unsafe scratch.elements(48 + index, input.list.elements)
            unsafe held.base.initialize(repeating: 0, count: held.count)
            let pairs = try unsafe GapPairs(self, input.value)
            unsafe forEachRow(input) { row in
                for c in 0..<(unsafe input.list.grid.width) {
                    unsafe held.base[row.start + c] = pairs.covariance(row, c, input.base[row.start + c])
                }
            }
            return unsafe Plane(value: input.value, list: input.list, base: held.base, theta: input.theta)
        }
    }

    /// Sum of K over all pairs.
    func covarianceSum(_ plane: Plane) throws -> Double {
        let pairs = try unsafe GapPairs(self, plane.value)
        var sum = 0.0
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) { unsafe sum += Double(pairs.covariance(row, c, plane.base[row.start + c])) }
        }
        return sum
    }

    /// With a' = √(w a² + b): a1' a2' (1 ∓ c') = w a1 a2 (1 ∓ c) + (1 ∓ 1) b + w b (a1 − a2)² / (a1' a2' + w a1 a2 + b), in which nothing cancels.
    private func affineGaps(_ step: KernelProgram.AffineStep, _ value: Int, _ plane: Plane) throws {
        let (before, after) = try unsafe (GapPairs(self, value), variances(plane.value))
        let (i1, i2) = unsafe (after.0.inverses(0), after.1.inverses(0))
        let (weight, bias, root) = (Element(step.weight), Element(step.bias), Element((step.weight * step.bias).squareRoot()))
        let (input, constant) = (Element(step.input), Element(step.constant))
        let isZero = plan.isThetaZero[value]
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) {
                let (i, j, place) = (row.firstElement + c * row.step, row.secondElement + c, row.start + c)
                let gap = unsafe plane.base[place]
                if let theta = unsafe plane.theta {
                    let own = unsafe input * before.covariance(row, c, gap) + constant
                    unsafe theta[place] = isZero ? own : weight * theta[place] + own
                }
                let (f1, f2) = unsafe (i1[i], i2[j])
                guard f1 > 0, f2 > 0 else {
                    unsafe plane.base[place] = 1
                    continue
                }
                guard bias > 0 else { continue }
                let share = unsafe weight * (before.a1[i] * f1) * (before.a2[j] * f2)
                let constantShare = (bias * f1) * f2
                let difference = unsafe ((before.a1[i] - before.a2[j]) * f1) * (root * f2)
                let lack = difference * difference / (1 + share + constantShare)
                let (near, far) = distances(ofGap: gap)
                unsafe plane.base[place] = signedGap(near: share * near + lack, far: share * far + (2 * constantShare + lack))
            }
        }
    }

    /// Pairs with a zero vector have the gap 1, whatever was done to them.
    func clearZeros(_ plane: Plane) throws {
        let pairs = try unsafe GapPairs(self, plane.value)
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) where unsafe pairs.product(row, c) == 0 { unsafe plane.base[row.start + c] = 1 }
        }
    }

    /// The cosine stays as it is.
    private func layerNormGaps(_ index: Int, _ plane: Plane) throws {
        let (scale1, scale2) = (try needed(first.scales[index], "scales of layer_norm"), try needed(second.scales[index], "scales of layer_norm"))
        let (s1, s2) = unsafe (scale1.row(0), scale2.row(0))
        if let theta = unsafe plane.theta {
            unsafe forEachRow(plane) { row in
                for c in 0..<(unsafe plane.list.grid.width) {
                    unsafe theta[row.start + c] *= s1[row.firstElement + c * row.step] * s2[row.secondElement + c]
                }
            }
        }
        try unsafe clearZeros(plane)
    }

    /// c' = keep c, but for a position of a sample with itself.
    private func dropoutGaps(_ keep: Double, _ plane: Plane) {
        let (keep, growth) = (Element(keep), Element(1 / keep))
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) {
                let place = row.start + c
                if isOwn && row.firstPosition + c * row.step == row.secondPosition + c {
                    if let theta = unsafe plane.theta { unsafe theta[place] *= growth }
                } else {
                    let (near, far) = unsafe distances(ofGap: plane.base[place])
                    unsafe plane.base[place] = signedGap(near: keep * near + (1 - keep), far: keep * far + (1 - keep))
                }
            }
        }
    }

    /// Covariances multiply, and so do cosines: 1 − c1 c2 = h1 + h2 − h1 h2 for gaps to poles of one sign.
    private func productGaps(_ inputs: [Plane], _ output: Plane) throws {
        let inputs = unsafe aligned(inputs, output)
        let pairs = try unsafe inputs.map { try unsafe GapPairs(self, $0.value) }
        let isZero = unsafe inputs.map { unsafe plan.isThetaZero[$0.value] }
        unsafe forEachRow(output) { row in
            for c in 0..<(unsafe output.list.grid.width) {
                let place = row.start + c
                var (gap, covariance, tangent): (Element, Element, Element) = (0, 1, 0)
                for k in unsafe inputs.indices {
                    let own = unsafe inputs[k].base[place]
                    let factor = unsafe pairs[k].covariance(row, c, own)
                    let theta = unsafe isZero[k] ? 0 : inputs[k].theta?[place] ?? 0
                    tangent = tangent * factor + covariance * theta
                    covariance *= factor
                    let (h1, h2) = (abs(gap), abs(own))
                    let h = h1 + h2 * (1 - h1)
                    gap = gap.sign == own.sign ? h : -h
                }
                unsafe output.base[place] = gap
                if let theta = unsafe output.theta { unsafe theta[place] = tangent }
            }
        }
        try unsafe clearZeros(output)
    }
}
