import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

// Operations by an operator of each point's own.
extension SpatialPass {
    /// All pairs of positions as a matrix [P, P], covariances.
    func dense(_ plane: Plane, _ source: UnsafeMutablePointer<Element>, form: PairForm) throws -> Matrix<Element> {
        let positions = unsafe plane.list.grid.positions
        let matrix = Matrix<Element>(uninitializedRows: positions, columns: positions)
        try unsafe dense(plane, source, form: form, into: matrix.base)
        return matrix
    }

    /// The same into a matrix [P, P] that is there.
    private func dense(
        _ plane: Plane, _ source: UnsafeMutablePointer<Element>, form: PairForm, into target: UnsafeMutablePointer<Element>
    ) throws {
        let list = unsafe plane.list
        let (width, positions) = (list.grid.width, list.grid.positions)
        // Where all pairs are held, all elements are written.
        if list.pairing != .full { unsafe target.initialize(repeating: 0, count: positions * positions) }
        switch form {
        case .gap:
            let pairs = try unsafe GapPairs(self, plane.value)
            unsafe forEachRow(plane) { row in
                let from = unsafe source + row.start
                let to = unsafe target + row.firstPosition * positions + row.secondPosition
                // Aligned, each pair is on the diagonal.
                let step = row.step == 0 ? 1 : positions + 1
                for c in 0..<width { unsafe to[c * step] = pairs.covariance(row, c, from[c]) }
            }
        case .distance:
            let (own, other) = try unsafe variances(plane.value)
            let (q1, q2) = unsafe (own.row(0), other.row(0))
            unsafe forEachRow(plane) { row in
                let from = unsafe source + row.start
                let to = unsafe target + row.firstPosition * positions + row.secondPosition
                let (a, b) = unsafe (q1 + row.firstElement, q2 + row.secondElement)
                if row.step == 0 {
                    let variance = unsafe a[0]
                    for c in 0..<width { unsafe to[c] = (variance + b[c] - from[c]) / 2 }
                } else {
                    // Aligned, each pair is on the diagonal.
                    for c in 0..<width { unsafe to[c * (positions + 1)] = (a[c] + b[c] - from[c]) / 2 }
                }
            }
        case .covariance:
            unsafe forEachRow(plane) { row in
                let from = unsafe source + row.start
                let to = unsafe target + row.firstPosition * positions + row.secondPosition
                if row.step == 0 {
                    unsafe to.update(from: from, count: width)
                } else {
                    for c in 0..<width { unsafe to[c * (positions + 1)] = from[c] }
                }
            }
        }
    }

    /// A matrix [P, P] of pairs of positions to the pairs that a plane holds.
    func scatter(_ matrix: Matrix<Element>, _ plane: Plane, _ target: UnsafeMutablePointer<Element>) {
        let source = unsafe matrix.base
        let (columns, width) = unsafe (matrix.columns, plane.list.grid.width)
        unsafe target.initialize(repeating: 0, count: plane.list.elements)
        unsafe forEachRow(plane) { row in
            let from = unsafe source + row.firstPosition * columns + row.secondPosition
            let to = unsafe target + row.start
            if row.step == 0 {
                unsafe to.update(from: from, count: width)
            } else {
                for c in 0..<width { unsafe to[c] = from[c * (columns + 1)] }
            }
        }
    }

    /// A1 K A2ᵀ of each [P, P] of those that lie one below the other, with one product for all on the right.
    private func sandwich(_ a1: Matrix<Element>, _ stacked: Matrix<Element>, _ a2: Matrix<Element>) -> [Matrix<Element>] {
        let half = Matrix<Element>(uninitializedRows: stacked.rows, columns: a2.rows)
        unsafe Element.gemmTransposed(
            stacked.rows, a2.rows, stacked.columns, alpha: 1, stacked.base, stacked.columns, a2.base, a2.columns, beta: 0, half.base, a2.rows)
        return (0..<stacked.rows / a1.columns).map { part in
            let result = Matrix<Element>(uninitializedRows: a1.rows, columns: a2.rows)
            unsafe Element.gemm(
                a1.rows, a2.rows, a1.columns, alpha: 1, a1.base, a1.columns, half.base + part * a1.columns * a2.rows, a2.rows, beta: 0,
                result.base, a2.rows)
            return result
        }
    }

    /// x ← A x with the two points' own graphs.
    func transform(_ index: Int, _ input: Plane, _ output: Plane) throws {
        let (a1, a2) = (try needed(first.aggregations[index], "a pattern"), try needed(second.aggregations[index], "a pattern"))
        let covariance = try unsafe dense(input, input.base, form: plan.forms[input.value])
        unsafe scatter(apply(a1, covariance, a2), output, output.base)
        if let theta = unsafe output.theta, let source = unsafe input.theta {
            try unsafe scatter(apply(a1, dense(input, source, form: .covariance), a2), output, theta)
        }
    }

    /// Self-attention in the limit of many heads (Hron et al. 2020, arXiv 2006.10540).
    ///
    /// Scores scaled by 1/width: K' = σ² ζ1 K ζ2ᵀ + b², Θ' = σ² ζ1 Θ ζ2ᵀ + b² + 2 (K' − b²), with ζ = mechanism(scores of the point alone).
    /// By 1/√width, without a mechanism: K' = σ² D K + b² with D = ⟨K, K⟩ over all pairs of positions.
    func attention(_ layer: SelfAttention, _ channels: Int?, _ index: Int, _ input: Plane, _ output: Plane) throws {
        let positions = unsafe input.list.grid.positions
        let stacked = unsafe Matrix<Element>(uninitializedRows: (input.theta == nil ? 1 : 2) * positions, columns: positions)
        try unsafe dense(input, input.base, form: plan.forms[input.value], into: stacked.base)
        if let source = unsafe input.theta { try unsafe dense(input, source, form: .covariance, into: stacked.base + positions * positions) }
        let bias = Element(layer.biasStd.map(\.squared) ?? 0)
        let values = (layer.outputStd * layer.valueStd).squared
        let masks = unsafe (first.mask(input.value), second.mask(input.value))
        let embedding = PositionalCovariance(layer, channels: channels, spatial: program.values[unsafe input.value].spatial)
        let gradient: Element = layer.isTrainable ? 1 : 0
        var result: Matrix<Element>
        var tangent: Matrix<Element>?
        if layer.linearScaling {
            let zeta1 = try needed(first.operators[index], "weights of attention")
            let zeta2 = try needed(second.operators[index], "weights of attention")
            let rows = layer.isTrainable ? stacked.rows : positions
            let embedded = layer.embedsValues ? embedding.interpolate(stacked, masks, embeddedRows: rows) : stacked
            let weighted = sandwich(zeta1, embedded, zeta2)
            result = weighted[0]
            tangent = weighted.count > 1 ? weighted[1] : nil
            let (count, scale) = (result.rows * result.columns, Element(values))
            let base = unsafe result.base
            for k in 0..<count { unsafe base[k] *= scale }
            if let base2 = unsafe tangent?.base {
                for k in 0..<count { unsafe base2[k] = scale * base2[k] + gradient * (bias + 2 * base[k]) }
            }
            for k in 0..<count { unsafe base[k] += bias }
        } else {
            let scale = Element(values * (layer.keyStd * layer.queryStd).squared)
            let (covariance, theta) = stacked.halves(positions)
            let embedded = embedding.interpolate(covariance, masks)
            let embeddedTheta = theta.map { embedding.interpolate($0, masks, embeddedRows: layer.isTrainable ? positions : 0) }
            let plain = layer.positionalEmbedding == .none || layer.embedsValues
            let overlap = dot(embedded, plain ? embedded : covariance)
            var overlapTheta: Element = 0
            if let theta, let embeddedTheta {
                overlapTheta = plain ? 2 * dot(embedded, embeddedTheta) : dot(embedded, theta) + dot(covariance, embeddedTheta)
            }
            result = Matrix(uninitializedRows: covariance.rows, columns: covariance.columns)
            if embeddedTheta != nil { tangent = Matrix(uninitializedRows: covariance.rows, columns: covariance.columns) }
            for k in 0..<result.rows * result.columns {
                let own = unsafe embedded.base[k]
                unsafe result.base[k] = scale * (overlap * own) + bias
                if let tangent, let embeddedTheta {
                    unsafe tangent.base[k] =
                        scale * (overlapTheta * own + overlap * (embeddedTheta.base[k] + gradient * 4 * own)) + gradient * bias
                }
            }
        }
        unsafe scatter(result, output, output.base)
        if let tangent, let target = unsafe output.theta { unsafe scatter(tangent, output, target) }
    }

    private func dot(_ a: Matrix<Element>, _ b: Matrix<Element>) -> Element {
        var sum = 0.0
        for k in 0..<a.rows * a.columns { unsafe sum += Double(a.base[k]) * Double(b.base[k]) }
        return Element(sum)
    }
}

extension Matrix where Element: KernelScalar {
    /// The first rows, and the others if there are any.
    fileprivate func halves(_ count: Int) -> (Matrix, Matrix?) {
        guard rows > count else { return (self, nil) }
        let parts = [0..<count, count..<rows].map { range in
            let part = Matrix(uninitializedRows: range.count, columns: columns)
            unsafe part.base.update(from: base + range.lowerBound * columns, count: range.count * columns)
            return part
        }
        return (parts[0], parts[1])
    }
}

/// What positional embeddings make of covariances: weights of the input and of the embeddings' covariance R.
struct PositionalCovariance {
    /// Of the input, and of each position's own embedding.
    var weights: (input: Double, embedding: Double) { (inputWeight, embeddingWeight) }
    private let inputWeight: Double
    private let embeddingWeight: Double
    private let covariance: [Double]

    init(_ layer: SelfAttention, channels: Int?, spatial: [Int]) {
        let square = layer.positionalStd.squared
        switch layer.positionalEmbedding {
        case .none: (inputWeight, embeddingWeight) = (1, 0)
        case .sum: (inputWeight, embeddingWeight) = (1, square)
        case .concat:
            // The compiler asks for the channels with concatenated embeddings.
            let own = Double(channels ?? 1)
            let extra = Double(layer.positionalWidth ?? channels ?? 1)
            (inputWeight, embeddingWeight) = (own / (own + extra), square * extra / (own + extra))
        }
        var covariance: [Double] = []
        if embeddingWeight != 0 {
            forEachIndex(spatial) { a in
                forEachIndex(spatial) { b in
                    guard let decay = layer.positionalDecay else {
                        covariance.append(a == b ? 1 : 0)
                        return
                    }
                    let distance = zip(a, b).reduce(0.0) { $0 + pow(Double(abs($1.0 - $1.1)), layer.positionalNorm) }
                    covariance.append(exp(-decay * distance))
                }
            }
        }
        self.covariance = covariance
    }

    /// Weighted sum of K, or of Θ, or of both one below the other, and R: embeddings are trained too, unless the layer is not.
    /// - Parameters:
    ///   - masks: of the positions of the two points; where one is masked, its embedding takes no part either.
    ///   - embeddedRows: of the rows to which R is added; all where nil. Θ of a layer that is not trained has none.
    func interpolate<Element: KernelScalar>(
        _ matrix: Matrix<Element>, _ masks: ([Bool]?, [Bool]?), embeddedRows: Int? = nil
    ) -> Matrix<Element> {
        guard embeddingWeight != 0 || inputWeight != 1 else { return matrix }
        let positions = matrix.columns
        let result = Matrix<Element>(uninitializedRows: matrix.rows, columns: positions)
        for row in 0..<matrix.rows {
            let isMasked = masks.0?[row % positions] == true
            for column in 0..<positions {
                let k = row * positions + column
                guard !isMasked, masks.1?[column] != true else {
                    unsafe result.base[k] = 0
                    continue
                }
                let embedded = covariance.isEmpty || row >= embeddedRows ?? matrix.rows ? 0 : embeddingWeight * covariance[k % covariance.count]
                unsafe result.base[k] = Element(inputWeight) * matrix.base[k] + Element(embedded)
            }
        }
        return result
    }
}
