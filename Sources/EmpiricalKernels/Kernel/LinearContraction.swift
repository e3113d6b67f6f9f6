import Architecture
import LinearAlgebra

/// A linear layer's share of the kernel between two blocks of points, from its inputs and the derivatives of the outputs with respect to
/// what it makes.
///
/// For an input patch U(x) [D, p] and derivatives δ(x) [O, D, C] the weights' gradient of output o is w δ_oᵀ U with w the layer's factor, so
/// that the share of a pair is Σ_{d,d'} w² (U_d · U'_d') (δ_od · δ'_o'd'): two Gram matrices, multiplied element by element. The bias's is
/// the same with b² in place of the inputs' Gram matrix.
struct LinearContraction<Element: Scalar>: Sendable {
    /// One block of points.
    struct Side: Sendable {
        /// [points, inputPositions, inputChannels].
        var input: Storage<Element>
        var cotangent: Cotangent<Element>
        var count: Int
    }

    let step: LayerProgram.LinearStep
    let first, second: Side
    let outputs: Int
    /// Where the weights' and the bias's shares go; nil: the parameter does not count.
    let weight, bias: KernelTiles<Element>?
    /// Both go to the same place.
    let isJoint: Bool

    private var size: Int { step.outputPositions * step.outputChannels }
    private var weightFactor: Element { weight == nil ? 0 : Element(step.weightScale * step.weightScale) }
    private var biasFactor: Element { bias == nil ? 0 : Element(step.biasScale * step.biasScale) }

    func add(_ algorithm: ContractionAlgorithm, gradientBytes: Int, on executor: any TileExecutor) throws {
        switch algorithm {
        case .structured:
            guard let tiles = weight ?? bias else { return }
            try tiles.forEach(on: executor) { [self] tile, plane in
                // Both parameters' tiles are cut alike.
                let index = tiles.tiles.firstIndex(of: tile) ?? 0
                let target = Target(
                    weight: weight?.planes[index], bias: isJoint ? nil : bias?.planes[index], form: tiles.form)
                if step.isAligned { aligned(tile, target) } else { paired(tile, target) }
            }
        case .gradients:
            try WeightGradients(contraction: self).add(gradientBytes: gradientBytes, on: executor)
        }
    }

    private struct Target: Sendable {
        var weight, bias: Storage<Element>?
        var form: OutputSelection.Form
    }

    /// Derivatives of the outputs at a point: [outputs, D, C].
    func cotangent(_ side: Side, _ point: Int) -> UnsafeMutablePointer<Element> {
        unsafe side.cotangent.storage.base + (side.cotangent.isShared ? 0 : point * outputs * size)
    }

    /// The patches of some points [points, D, p], gathered unless they lie so already.
    private func patches(_ side: Side, _ points: Range<Int>) -> (storage: Storage<Element>, offset: Int) {
        let stride = step.inputPositions * step.inputChannels
        guard step.taps != nil else { return (side.input, points.lowerBound * stride) }
        let size = step.outputPositions * step.patch
        let scratch = Storage<Element>(count: points.count * size)
        for (index, point) in points.enumerated() {
            unsafe Positions.gather(step, side.input.base + point * stride, scratch.base + index * size)
        }
        return (scratch, 0)
    }

    // MARK: Positions that do not meet

    private func aligned(_ tile: Tile, _ target: Target) {
        let (rows, columns, positions) = (tile.rows.count, tile.columns.count, step.outputPositions)
        let (patch, channels) = (step.patch, step.outputChannels)
        let inputs = Storage<Element>(count: rows * columns)
        let isFull = target.form == .full
        let derivatives = Storage<Element>(count: rows * columns * (isFull ? outputs * outputs : 1))
        let left = patches(first, tile.rows)
        let right = patches(second, tile.columns)
        for position in 0..<positions {
            unsafe Element.gemmTransposed(
                rows, columns, patch, alpha: weightFactor, left.storage.base + left.offset + position * patch, positions * patch,
                right.storage.base + right.offset + position * patch, positions * patch, beta: 0, inputs.base, columns)
            if isJoint || target.weight == nil { unsafe Loops.add(biasFactor, inputs.base, rows * columns) }
            let start = position * channels
            let a = unsafe cotangent(first, tile.rows.lowerBound) + start
            let b = unsafe cotangent(second, tile.columns.lowerBound) + start
            if first.cotangent.isShared {
                unsafe addShared(target, inputs.base, a, b, rows, columns)
                continue
            }
            switch target.form {
            case .trace:
                if positions == 1 {
                    unsafe Element.gemmTransposed(
                        rows, columns, outputs * channels, alpha: 1, a, outputs * channels, b, outputs * channels, beta: 0, derivatives.base,
                        columns)
                } else {
                    for output in 0..<outputs {
                        unsafe Element.gemmTransposed(
                            rows, columns, channels, alpha: 1, a + output * size, outputs * size, b + output * size, outputs * size,
                            beta: output == 0 ? 0 : 1, derivatives.base, columns)
                    }
                }
                unsafe add(target, plane: 0, inputs.base, derivatives.base, rows * columns)
            case .diagonal:
                for output in 0..<outputs {
                    unsafe Element.gemmTransposed(
                        rows, columns, channels, alpha: 1, a + output * size, outputs * size, b + output * size, outputs * size, beta: 0,
                        derivatives.base, columns)
                    unsafe add(target, plane: output * rows * columns, inputs.base, derivatives.base, rows * columns)
                }
            case .full:
                let width = columns * outputs
                unsafe Element.gemmTransposed(
                    rows * outputs, width, channels, alpha: 1, a, size, b, size, beta: 0, derivatives.base, width)
                let expanded = Storage<Element>(count: width)
                for row in 0..<rows {
                    unsafe Loops.expand(inputs.base + row * columns, columns, times: outputs, expanded.base)
                    for output in 0..<outputs {
                        let start = (row * outputs + output) * width
                        unsafe add(target, plane: start, expanded.base, derivatives.base + start, width)
                    }
                }
            }
        }
        _ = (left, right)
    }

    /// target += inputs ∘ derivatives, and the bias's share where it goes elsewhere.
    private func add(
        _ target: Target, plane start: Int, _ inputs: UnsafePointer<Element>, _ derivatives: UnsafePointer<Element>, _ count: Int
    ) {
        if let weight = target.weight {
            unsafe Loops.addProduct(inputs, derivatives, weight.base + start, count)
        } else if isJoint == false, let bias = target.bias {
            unsafe Loops.addScaled(biasFactor, derivatives, bias.base + start, count)
            return
        }
        if let bias = target.bias { unsafe Loops.addScaled(biasFactor, derivatives, bias.base + start, count) }
    }

    /// Derivatives that are the same at every point: their Gram matrix is one of outputs.
    private func addShared(
        _ target: Target, _ inputs: UnsafePointer<Element>, _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ rows: Int, _ columns: Int
    ) {
        let gram = Storage<Element>(count: outputs * outputs)
        unsafe Element.gemmTransposed(
            outputs, outputs, step.outputChannels, alpha: 1, a, size, b, size, beta: 0, gram.base, outputs)
        switch target.form {
        case .trace:
            var trace: Element = 0
            for output in 0..<outputs { trace += unsafe gram.base[output * (outputs + 1)] }
            if let weight = target.weight { unsafe Loops.addScaled(trace, inputs, weight.base, rows * columns) }
            if let bias = target.bias { unsafe Loops.add(biasFactor * trace, bias.base, rows * columns) }
        case .diagonal:
            for output in 0..<outputs {
                let value = unsafe gram.base[output * (outputs + 1)]
                let start = output * rows * columns
                if let weight = target.weight { unsafe Loops.addScaled(value, inputs, weight.base + start, rows * columns) }
                if let bias = target.bias { unsafe Loops.add(biasFactor * value, bias.base + start, rows * columns) }
            }
        case .full:
            for row in 0..<rows {
                for own in 0..<outputs {
                    let start = (row * outputs + own) * columns * outputs
                    for column in 0..<columns {
                        let input = unsafe inputs[row * columns + column]
                        for other in 0..<outputs {
                            let value = unsafe gram.base[own * outputs + other]
                            let place = start + column * outputs + other
                            if let weight = target.weight { unsafe weight.base[place] += input * value }
                            if let bias = target.bias { unsafe bias.base[place] += biasFactor * value }
                        }
                    }
                }
            }
        }
    }

    // MARK: Positions that all meet

    /// Sums over all pairs of positions, some points at a time so that their Gram matrices stay in the cache.
    private func paired(_ tile: Tile, _ target: Target) {
        let positions = step.outputPositions
        let side = max(1, 128 / positions)
        for rows in TileGrid(rows: tile.rows.count, columns: 1, side: side, upperOnly: false).tiles.map(\.rows) {
            for columns in TileGrid(rows: tile.columns.count, columns: 1, side: side, upperOnly: false).tiles.map(\.rows) {
                pairedBlock(tile, rows, columns, target)
            }
        }
    }

    private func pairedBlock(_ tile: Tile, _ rows: Range<Int>, _ columns: Range<Int>, _ target: Target) {
        let (positions, patch, channels) = (step.outputPositions, step.patch, step.outputChannels)
        let left = patches(first, rows.moved(by: tile.rows.lowerBound))
        let right = patches(second, columns.moved(by: tile.columns.lowerBound))
        let (height, width) = (rows.count * positions, columns.count * positions)
        let inputs = Storage<Element>(count: height * width)
        unsafe Element.gemmTransposed(
            height, width, patch, alpha: weightFactor, left.storage.base + left.offset, patch, right.storage.base + right.offset, patch, beta: 0,
            inputs.base, width)
        if isJoint || target.weight == nil { unsafe Loops.add(biasFactor, inputs.base, height * width) }
        let a = derivatives(first, rows.moved(by: tile.rows.lowerBound))
        let b = derivatives(second, columns.moved(by: tile.columns.lowerBound))
        let products = Storage<Element>(count: height * width)
        func gram(_ own: Int, _ other: Int, beta: Element) {
            unsafe Element.gemmTransposed(
                height, width, channels, alpha: 1, a.base + own * height * channels, channels, b.base + other * width * channels, channels,
                beta: beta, products.base, width)
        }
        func add(_ place: (Int, Int) -> Int) {
            for row in 0..<rows.count {
                for column in 0..<columns.count {
                    var (sum, plain): (Element, Element) = (0, 0)
                    for position in 0..<positions {
                        let start = (row * positions + position) * width + column * positions
                        unsafe Loops.dot(inputs.base + start, products.base + start, positions, &sum)
                        if target.bias != nil { unsafe Loops.sum(products.base + start, positions, &plain) }
                    }
                    let index = place(rows.lowerBound + row, columns.lowerBound + column)
                    if let weight = target.weight { unsafe weight.base[index] += sum }
                    if let bias = target.bias { unsafe bias.base[index] += biasFactor * plain }
                }
            }
        }
        let (all, length) = (tile.rows.count, tile.columns.count)
        switch target.form {
        case .trace:
            for output in 0..<outputs { gram(output, output, beta: output == 0 ? 0 : 1) }
            add { $0 * length + $1 }
        case .diagonal:
            for output in 0..<outputs {
                gram(output, output, beta: 0)
                add { (output * all + $0) * length + $1 }
            }
        case .full:
            for own in 0..<outputs {
                for other in 0..<outputs {
                    gram(own, other, beta: 0)
                    add { ($0 * outputs + own) * length * outputs + $1 * outputs + other }
                }
            }
        }
    }

    /// The derivatives of some points as [outputs, points · D, C].
    private func derivatives(_ side: Side, _ points: Range<Int>) -> Storage<Element> {
        let result = Storage<Element>(count: outputs * points.count * size)
        for output in 0..<outputs {
            for (index, point) in points.enumerated() {
                unsafe (result.base + (output * points.count + index) * size).update(from: cotangent(side, point) + output * size, count: size)
            }
        }
        return result
    }
}

extension Range<Int> {
    fileprivate func moved(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}

/// Element loops that the compiler makes vector code of.
private enum Loops {
    static func add<Element: Scalar>(_ value: Element, _ target: UnsafeMutablePointer<Element>, _ count: Int) {
        for index in 0..<count { unsafe target[index] += value }
    }

    static func addScaled<Element: Scalar>(
        _ factor: Element, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        for index in 0..<count { unsafe target[index] += factor * source[index] }
    }

    static func addProduct<Element: Scalar>(
        _ first: UnsafePointer<Element>, _ second: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        for index in 0..<count { unsafe target[index] += first[index] * second[index] }
    }

    /// Each element `times` times.
    static func expand<Element: Scalar>(
        _ source: UnsafePointer<Element>, _ count: Int, times: Int, _ target: UnsafeMutablePointer<Element>
    ) {
        for index in 0..<count {
            let value = unsafe source[index]
            let start = unsafe target + index * times
            for place in 0..<times { unsafe start[place] = value }
        }
    }

    static func dot<Element: Scalar>(_ first: UnsafePointer<Element>, _ second: UnsafePointer<Element>, _ count: Int, _ sum: inout Element) {
        for index in 0..<count { unsafe sum += first[index] * second[index] }
    }

    static func sum<Element: Scalar>(_ source: UnsafePointer<Element>, _ count: Int, _ sum: inout Element) {
        for index in 0..<count { unsafe sum += source[index] }
    }
}
