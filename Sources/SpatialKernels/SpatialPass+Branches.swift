import Architecture
import LinearAlgebra

// Operations on several values.
extension SpatialPass {
    /// The inputs as the output pairs positions, each in its own buffer where it does not fit as it is.
    func aligned(_ inputs: [Plane], _ output: Plane) -> [Plane] {
        unsafe inputs.enumerated().map { index, input in
            guard unsafe input.list.pairing != output.list.pairing else { return unsafe input }
            let list = unsafe BlockList(aligned: input.list.grid)
            let held = unsafe scratch.elements(16 + index, (output.theta == nil ? 1 : 2) * list.elements)
            let plane = unsafe Plane(
                value: input.value, list: list, base: held.base, theta: output.theta == nil ? nil : held.base + list.elements)
            unsafe take(input, into: plane)
            return unsafe plane
        }
    }

    /// K of one element of a plane.
    @inline(__always)
    private func covariance(_ plane: Plane, _ place: Int, _ q1: Element, _ q2: Element) -> Element {
        unsafe plan.forms[plane.value] == .distance ? (q1 + q2 - plane.base[place]) / 2 : plane.base[place]
    }

    /// K = Σ weight K_k, Θ = Σ weight Θ_k; distances add like covariances.
    func combine(_ inputs: [Plane], _ weights: [Double], _ output: Plane) throws {
        let inputs = try unsafe asCovariances(aligned(inputs, output))
        let isDistance = unsafe plan.forms[output.value] == .distance
        let count = unsafe output.list.elements
        for k in unsafe inputs.indices {
            let input = unsafe inputs[k]
            let weight = Element(weights[k])
            if k == 0 { unsafe output.base.initialize(repeating: 0, count: count) }
            if unsafe isDistance || plan.forms[input.value] != .distance {
                for place in 0..<count { unsafe output.base[place] += weight * input.base[place] }
            } else if let own = unsafe first.variances[input.value], let other = unsafe second.variances[input.value] {
                let (q1, q2) = unsafe (own.row(0), other.row(0))
                unsafe forEachRow(output) { row in
                    for c in 0..<(unsafe output.list.grid.width) {
                        let value = unsafe (q1[row.firstElement + c * row.step] + q2[row.secondElement + c] - input.base[row.start + c]) / 2
                        unsafe output.base[row.start + c] += weight * value
                    }
                }
            }
            guard let theta = unsafe output.theta, let source = unsafe input.theta else { continue }
            if k == 0 { unsafe theta.initialize(repeating: 0, count: count) }
            for place in 0..<count { unsafe theta[place] += weight * source[place] }
        }
    }

    /// K = Π K_k, Θ = Σ_k Θ_k Π_{j≠k} K_j.
    func product(_ inputs: [Plane], _ output: Plane) throws {
        let inputs = try unsafe asCovariances(aligned(inputs, output))
        for k in unsafe inputs.indices {
            let input = unsafe inputs[k]
            let own = unsafe first.variances[input.value].map { unsafe $0.row(0) }
            let other = unsafe second.variances[input.value].map { unsafe $0.row(0) }
            unsafe forEachRow(output) { row in
                for c in 0..<(unsafe output.list.grid.width) {
                    let place = row.start + c
                    let factor = unsafe covariance(
                        input, place, own?[row.firstElement + c * row.step] ?? 0, other?[row.secondElement + c] ?? 0)
                    if let theta = unsafe output.theta, let source = unsafe input.theta {
                        unsafe theta[place] = k == 0 ? source[place] : theta[place] * factor + output.base[place] * source[place]
                    }
                    unsafe output.base[place] = k == 0 ? factor : output.base[place] * factor
                }
            }
        }
    }

    /// The branches' positions one after another along an axis; positions of different branches are independent.
    func concatenate(_ inputs: [Plane], _ axis: Int, _ output: Plane) throws {
        let value = unsafe output.value
        let inputs = try unsafe plan.forms[value] == .covariance ? asCovariances(inputs) : inputs
        let spatial = program.values[value].spatial
        let extents = unsafe inputs.map { unsafe program.values[$0.value].spatial[axis] }
        // For each position of the output its branch and its position there.
        var origins: [(branch: Int, position: Int)] = []
        forEachOrigin(spatial, axis, extents) { origins.append(($0, $1)) }
        let isDistance = plan.forms[value] == .distance
        unsafe forEachPair(output) { place, p1, p2 in
            let (a, b) = (origins[p1], origins[p2])
            let (q1, q2) = (first.variances[value]?.values[p1] ?? 0, second.variances[value]?.values[p2] ?? 0)
            let input = unsafe inputs[a.branch]
            guard a.branch == b.branch, let source = unsafe input.list.place(a.position, b.position) else {
                unsafe output.base[place] = isDistance ? Element(q1 + q2) : plan.forms[value] == .gap ? 1 : 0
                if let theta = unsafe output.theta { unsafe theta[place] = 0 }
                return
            }
            let (r1, r2) = unsafe (first.variances[input.value]?.values[a.position] ?? 0, second.variances[input.value]?.values[b.position] ?? 0)
            unsafe output.base[place] = isDistance ? input.base[source] : covariance(input, source, Element(r1), Element(r2))
            if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = own[source] }
        }
    }

    /// Pairs of different positions become independent.
    func isolate(_ input: Plane, _ output: Plane) {
        let value = unsafe output.value
        guard unsafe output.list.pairing == .full else {
            unsafe take(input, into: output)
            return
        }
        let isDistance = plan.forms[value] == .distance
        unsafe forEachPair(output) { place, p1, p2 in
            if p1 == p2, let source = unsafe input.list.place(p1, p2) {
                unsafe output.base[place] = input.base[source]
                if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = own[source] }
            } else {
                let (q1, q2) = (first.variances[value]?.values[p1] ?? 0, second.variances[value]?.values[p2] ?? 0)
                unsafe output.base[place] = isDistance ? Element(q1 + q2) : plan.forms[value] == .gap ? 1 : 0
                if let theta = unsafe output.theta { unsafe theta[place] = 0 }
            }
        }
    }

    /// Calls `body` with the element and the two positions of every pair that a plane holds.
    func forEachPair(_ plane: Plane, _ body: (_ place: Int, _ p1: Int, _ p2: Int) -> Void) {
        let list = unsafe plane.list
        unsafe forEachRow(plane) { row in
            for c in 0..<list.grid.width { body(row.start + c, row.firstPosition + c * row.step, row.secondPosition + c) }
        }
    }

    /// Calls `body` for every row of pairs.
    @inline(__always)
    func forEachRow(_ plane: Plane, _ body: (PairRow) -> Void) {
        let list = unsafe plane.list
        var rows = 0
        for block in list.pairs.indices {
            for row in 0..<list.rowCount {
                if rows % askedRows == 0, CurrentWork.isCancelled { return }
                rows += 1
                body(list.row(block, row))
            }
        }
    }
}

/// Rows of pairs of positions after which a pass asks whether anybody waits for it: some microseconds of the shortest rows.
let askedRows = 64
