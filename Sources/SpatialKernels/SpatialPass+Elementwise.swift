import Architecture
import KernelLoops
import LinearAlgebra

// Operations on each pair of positions alone.
extension SpatialPass {
    func run(_ index: Int, _ inputs: [Plane], _ output: Plane, _ stage: SpatialStage) throws {
        let instruction = program.instructions[index]
        if plan.forms[index + 1] == .gap {
            try unsafe runGaps(index, inputs, output, stage)
            unsafe remask(output)
            return
        }
        switch instruction.operation {
        case .affine(let step):
            unsafe take(inputs[0], into: output)
            try unsafe affine(step, instruction.inputs[0], output)
        case .activation(let step):
            unsafe take(inputs[0], into: output)
            try unsafe activation(step, index, instruction.inputs[0], output)
        case .layerNorm:
            unsafe take(inputs[0], into: output)
            try unsafe layerNorm(index, instruction.inputs[0], output)
        case .dropout(let keep):
            unsafe take(inputs[0], into: output)
            try unsafe dropout(keep, instruction.inputs[0], output)
        case .sum: try unsafe combine(inputs, inputs.map { _ in 1 }, output)
        case .concatenateChannels(let weights): try unsafe combine(inputs, weights, output)
        case .product: try unsafe product(inputs, output)
        case .window: try unsafe window(index, needed(stage.windows[index], "a window's table"), inputs[0], output)
        case .isolate: unsafe isolate(inputs[0], output)
        case .concatenate(let axis): try unsafe concatenate(inputs, axis, output)
        case .flatten: unsafe flatten(inputs[0], output)
        case .globalPool, .map, .attention, .aggregate: try unsafe mix(index, inputs, output)
        }
        unsafe remask(output)
    }

    /// K and Θ where positions are mixed.
    func mix(_ index: Int, _ inputs: [Plane], _ output: Plane) throws {
        let instruction = program.instructions[index]
        switch instruction.operation {
        case .globalPool(let reduction): try unsafe globalPool(reduction, instruction.inputs[0], inputs.first, output)
        case .map(let map): try unsafe self.map(map, inputs[0], output)
        case .attention(let layer, let channels, _): try unsafe attention(layer, channels, index, inputs[0], output)
        default: try unsafe transform(index, inputs[0], output)
        }
    }

    /// The input as the output holds it: itself, a copy, or its pairs of equal positions.
    func take(_ input: Plane, into output: Plane) {
        guard unsafe input.base != output.base || input.list.pairing != output.list.pairing else { return }
        if unsafe input.list.pairing == output.list.pairing {
            unsafe output.base.update(from: input.base, count: output.list.elements)
            if let theta = unsafe output.theta, let source = unsafe input.theta { unsafe theta.update(from: source, count: output.list.elements) }
            return
        }
        // From all pairs to those of equal positions: into a buffer of its own, as the two may share one.
        let grid = unsafe output.list.grid
        let planes = unsafe output.theta == nil ? 1 : 2
        let held = scratch.elements(0, planes * grid.rows * grid.stride)
        unsafe held.base.initialize(repeating: 0, count: held.count)
        for position in 0..<grid.positions {
            guard let place = unsafe input.list.place(position, position) else { continue }
            let target = position / grid.width * grid.stride + position % grid.width
            unsafe held.base[target] = input.base[place]
            if let theta = unsafe input.theta { unsafe held.base[grid.rows * grid.stride + target] = theta[place] }
        }
        unsafe output.base.update(from: held.base, count: output.list.elements)
        if let theta = unsafe output.theta { unsafe theta.update(from: held.base + grid.rows * grid.stride, count: output.list.elements) }
    }

    /// Calls `body` for each block with the offset of its elements and the two rows of positions.
    @inline(__always)
    func forEachBlock(
        _ plane: Plane, _ body: (_ base: UnsafeMutablePointer<Element>, _ theta: UnsafeMutablePointer<Element>?, _ u: Int, _ v: Int) -> Void
    ) {
        for (index, pair) in unsafe plane.list.pairs.enumerated() {
            unsafe body(plane.block(index), plane.thetaBlock(index), pair.first, pair.second)
        }
    }

    private func affine(_ step: KernelProgram.AffineStep, _ input: Int, _ plane: Plane) throws {
        let (weight, constant) = (Element(step.weight), Element(step.constant))
        let shape = unsafe plane.list.shape
        if plan.forms[input] == .distance {
            let (own, other) = try variances(input)
            unsafe forEachBlock(plane) { base, theta, u, v in
                unsafe Element.affineBlock(
                    base, theta, thetaIsZero: plan.isThetaZero[input], shape, weight: weight, input: Element(step.input), constant: constant,
                    own.row(u), other.row(v))
            }
            return
        }
        let (bias, gradient) = (Element(step.bias), Element(step.input))
        for k in 0..<(unsafe plane.list.elements) {
            let covariance = unsafe plane.base[k]
            if let theta = unsafe plane.theta { unsafe theta[k] = weight * theta[k] + (gradient * covariance + constant) }
            unsafe plane.base[k] = weight * covariance + bias
        }
    }

    /// Variances of both points at a value.
    func variances(_ value: Int) throws -> (Variances<Element>, Variances<Element>) {
        (try needed(first.variances[value], "variances of the first point"), try needed(second.variances[value], "variances of the second point"))
    }

    /// K to q1 + q2 − 2 K, in place.
    private func toDistances(_ plane: Plane, _ value: Int) throws {
        let (own, other) = try variances(value)
        let (q1, q2) = unsafe (own.row(0), other.row(0))
        let (a1, a2) = unsafe (own.roots(0), other.roots(0))
        let error = try unsafe uncertainty(plane, value) { row, c in
            unsafe 1 - abs(plane.base[row.start + c]) / (a1[row.firstElement + c * row.step] * a2[row.secondElement + c])
        }
        uncertainty += error
        if plan.toldByGaps.contains(value), error > (MemoryLayout<Element>.size == 4 ? 20 : 500) * Double(Element.ulpOfOne) { isBlurred = true }
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.stride) {
                let sum = unsafe q1[row.firstElement + c * row.step] + q2[row.secondElement + c]
                unsafe plane.base[row.start + c] = max(sum - 2 * plane.base[row.start + c], 0)
            }
        }
    }

    private func activation(_ step: ActivationStep, _ index: Int, _ input: Int, _ plane: Plane) throws {
        if plan.forms[input] == .covariance { try unsafe toDistances(plane, input) }
        let (own, other) = try variances(input)
        let shape = unsafe plane.list.shape
        // Others are held by gaps.
        let abRelu = try needed(step.abRelu, "an activation that is linear on either side of zero")
        let (asymmetry, power) = (Element(abRelu.asymmetry), Element(abRelu.power))
        let isWatched = plan.watched.contains(index)
        unsafe forEachBlock(plane) { base, theta, u, v in
            if isWatched, unsafe Element.blurredBlock(base, shape, own.roots(u), other.roots(v)) { isBlurred = true }
            unsafe Element.abReluBlock(
                base, theta, shape, asymmetry: asymmetry, power: power, own.roots(u), own.inverses(u), other.roots(v), other.inverses(v))
        }
    }

    /// K' = K s1 s2. With E = a1 a2 − K, which is (D − (a1 − a2)²)/2: D' = (a1' − a2')² + 2 s1 s2 E.
    private func layerNorm(_ index: Int, _ input: Int, _ plane: Plane) throws {
        let (scale1, scale2) = (try needed(first.scales[index], "scales of layer_norm"), try needed(second.scales[index], "scales of layer_norm"))
        let (s1, s2) = unsafe (scale1.row(0), scale2.row(0))
        let own = unsafe first.variances[input].map { unsafe $0.roots(0) }
        let other = unsafe second.variances[input].map { unsafe $0.roots(0) }
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.stride) {
                let (i, j, place) = (row.firstElement + c * row.step, row.secondElement + c, row.start + c)
                let factor = unsafe s1[i] * s2[j]
                if plan.forms[input] == .distance, let own = unsafe own, let other = unsafe other {
                    let (a1, a2) = unsafe (own[i], other[j])
                    let difference = unsafe a1 * s1[i] - a2 * s2[j]
                    unsafe plane.base[place] = max(difference * difference + factor * (plane.base[place] - (a1 - a2) * (a1 - a2)), 0)
                } else {
                    unsafe plane.base[place] *= factor
                }
                if let theta = unsafe plane.theta { unsafe theta[place] *= factor }
            }
        }
    }

    /// Variances grow by 1 / keep, covariances do not, but for a position of a sample with itself.
    private func dropout(_ keep: Double, _ input: Int, _ plane: Plane) throws {
        let growth = Element(1 / keep - 1)
        let (own, other) = try variances(input)
        let (q1, q2) = unsafe (own.row(0), other.row(0))
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) {
                let place = row.start + c
                if isOwn && row.firstPosition + c * row.step == row.secondPosition + c {
                    if plan.forms[input] == .covariance { unsafe plane.base[place] *= 1 + growth }
                    if let theta = unsafe plane.theta { unsafe theta[place] *= 1 + growth }
                } else if plan.forms[input] == .distance {
                    unsafe plane.base[place] += growth * (q1[row.firstElement + c * row.step] + q2[row.secondElement + c])
                }
            }
        }
    }

    /// Masked positions are zero: K = Θ = 0.
    func remask(_ plane: Plane) {
        let value = unsafe plane.value
        let (mask1, mask2) = (first.mask(value), second.mask(value))
        guard mask1 != nil || mask2 != nil else { return }
        let form = plan.forms[value]
        let own = unsafe first.variances[value].map { unsafe $0.row(0) }
        let other = unsafe second.variances[value].map { unsafe $0.row(0) }
        unsafe forEachRow(plane) { row in
            for c in 0..<(unsafe plane.list.grid.width) {
                let (p1, p2) = (row.firstPosition + c * row.step, row.secondPosition + c)
                guard mask1?[p1] == true || mask2?[p2] == true else { continue }
                let sum = unsafe (own?[row.firstElement + c * row.step] ?? 0) + (other?[row.secondElement + c] ?? 0)
                unsafe plane.base[row.start + c] = form == .distance ? sum : form == .gap ? 1 : 0
                if let theta = unsafe plane.theta { unsafe theta[row.start + c] = 0 }
            }
        }
    }
}
