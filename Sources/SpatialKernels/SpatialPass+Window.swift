import Architecture
import KernelLoops
import LinearAlgebra

// Means over windows at the same offset on both sides. Beyond an edge there is a zero vector: K = 0, so D is the partner's variance.
extension SpatialPass {
    func window(_ index: Int, _ table: WindowTable, _ input: Plane, _ output: Plane) throws {
        let input = unsafe held(input, as: table.input)
        let isDistance = unsafe plan.forms[input.value] == .distance
        let skipsTheta = unsafe plan.isThetaZero[input.value]
        guard table.input.pairing == .full else {
            unsafe windowPlane(table, input.base, output.base)
            if let theta = unsafe output.theta, let source = unsafe input.theta, !skipsTheta { unsafe windowPlane(table, source, theta) }
            return
        }
        let run = unsafe WindowRun(self, index, table, isDistance: isDistance)
        for block in table.output.pairs.indices {
            unsafe run.block(block, input.base, output.block(block), hasVariances: isDistance)
            if let theta = unsafe output.thetaBlock(block), let source = unsafe input.theta, !skipsTheta {
                unsafe run.block(block, source, theta, hasVariances: false)
            }
        }
    }

    /// Means over windows of what is zero beyond the edges, such as Θ.
    func windowSums(
        _ index: Int, _ table: WindowTable, _ source: UnsafeMutablePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ output: Plane
    ) {
        guard table.input.pairing == .full else {
            unsafe windowPlane(table, source, target)
            return
        }
        let run = unsafe WindowRun(self, index, table, isDistance: false)
        for block in table.output.pairs.indices {
            unsafe run.block(block, source, target + block * table.output.blockSize, hasVariances: false)
        }
    }

    /// A window, an affine map and a relu, without masks, block after block, so that a block is in the first-level cache from the sums to the end.
    func run(_ chain: SpatialPlan.Chain, _ index: Int, _ table: WindowTable, _ input: Plane, _ output: Plane) throws {
        let parameters = AffineRelu<Element>(chain)
        let (before, between) = (index + 1, index + 2)
        let ((q1, q2), (own, other)) = (try variances(before), try variances(between))
        let isThetaZero = plan.isThetaZero[chain.input]
        let shape = table.output.shape
        let (theta, source) = try unsafe (needed(output.theta, "the tangents of a chain"), needed(input.theta, "the tangents of a chain"))
        let (variances1, variances2) = unsafe (q1.row(0), q2.row(0))
        let (roots1, inverses1, roots2, inverses2) = unsafe (own.roots(0), own.inverses(0), other.roots(0), other.inverses(0))
        let (base, distances) = unsafe (output.base, input.base)
        let stride = table.output.grid.stride
        let size = table.output.blockSize
        guard table.input.pairing == .full else {
            // Windows that `AlignedChain` does not take, such as with strides: step by step a kernel takes up to 1.7 times as long.
            let input = unsafe held(input, as: table.input)
            unsafe windowPlane(table, input.base, base)
            if !isThetaZero, let source = unsafe input.theta { unsafe windowPlane(table, source, theta) }
            let blurs = unsafe Element.affineReluBlock(
                base, theta, shape, thetaIsZero: isThetaZero, parameters, variances1, variances2, roots1, inverses1, roots2, inverses2)
            isBlurred = isBlurred || blurs
            return
        }
        let run = unsafe WindowRun(self, index, table, isDistance: true)
        let isInRegisters = table.isInRegisters
        var blurs = false
        defer { isBlurred = isBlurred || blurs }
        for (block, pair) in table.output.pairs.enumerated() {
            let (u, v) = (pair.first * stride, pair.second * stride)
            let (target, tangent) = unsafe (base + block * size, theta + block * size)
            if isInRegisters {
                let window = unsafe run.window(block, distances, hasVariances: true)
                let tangents = unsafe isThetaZero ? nil : run.window(block, source, hasVariances: false)
                let isBlurred = unsafe Element.windowReluBlock(
                    target, tangent, window, tangents, scale: Element(table.scale), parameters, variances1 + u, variances2 + v, roots1 + u,
                    inverses1 + u, roots2 + v, inverses2 + v)
                blurs = blurs || isBlurred
                continue
            }
            if table.isContiguous && table.inner.window == 3 {
                let extended = unsafe run.extend(block, distances, hasVariances: true)
                let tangents = unsafe isThetaZero ? nil : run.extend(block, source, hasVariances: false)
                let isBlurred = unsafe Element.convolutionReluBlock(
                    target, tangent, shape, extended, tangents, extendedStride: table.extendedStride, scale: Element(table.scale), parameters,
                    variances1 + u, variances2 + v, roots1 + u, inverses1 + u, roots2 + v, inverses2 + v)
                blurs = blurs || isBlurred
                continue
            }
            unsafe run.block(block, distances, target, hasVariances: true)
            if !isThetaZero { unsafe run.block(block, source, tangent, hasVariances: false) }
            let isBlurred = unsafe Element.affineReluBlock(
                target, tangent, shape, thetaIsZero: isThetaZero, parameters, variances1 + u, variances2 + v, roots1 + u, inverses1 + u, roots2 + v,
                inverses2 + v)
            blurs = blurs || isBlurred
        }
    }

    /// The input as it is, or its aligned pairs in a buffer of their own.
    func held(_ input: Plane, as list: BlockList) -> Plane {
        guard unsafe input.list.pairing != list.pairing else { return unsafe input }
        let held = scratch.elements(16, (hasTheta ? 2 : 1) * list.elements)
        let plane = unsafe Plane(value: input.value, list: list, base: held.base, theta: hasTheta ? held.base + list.elements : nil)
        unsafe take(input, into: plane)
        return unsafe plane
    }

    private func windowPlane(_ table: WindowTable, _ input: UnsafeMutablePointer<Element>, _ output: UnsafeMutablePointer<Element>) {
        guard table.isContiguous else {
            unsafe lookUpPlane(table, input, output)
            return
        }
        let extended = scratch.elements(1, table.extendedStride)
        let window = unsafe BlockWindow<Element>(table)
        unsafe table.rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            unsafe Element.windowPlane(
                output, rows: table.output.grid.rows, stride: table.output.grid.stride, input, extended.base, window, table: base,
                taps: table.inner.window, scale: Element(table.scale))
        }
    }

    private func lookUpPlane(_ table: WindowTable, _ input: UnsafeMutablePointer<Element>, _ output: UnsafeMutablePointer<Element>) {
        let scale = Element(table.scale)
        let grid = table.output.grid
        unsafe output.initialize(repeating: 0, count: table.output.blockSize)
        for row in 0..<grid.rows {
            for c in 0..<grid.width {
                var sum: Element = 0
                for tap in 0..<table.rowTaps {
                    let source = Int(table.rows[row * table.rowTaps + tap])
                    guard source >= 0 else { continue }
                    for k in 0..<table.inner.window {
                        if let x = table.inner.source(c, k) { unsafe sum += input[source * table.input.grid.stride + x] }
                    }
                }
                unsafe output[row * grid.stride + c] = scale * sum
            }
        }
    }
}

extension BlockWindow {
    /// Of a table's windows: as planes have them, without blocks and variances.
    init(_ table: WindowTable) {
        unsafe self.init(
            blocks: nil, count: table.rowTaps, firstAlone: nil, secondAlone: nil, first: nil, second: nil, width: table.input.grid.width,
            stride: table.input.grid.stride, low: table.halo.low, high: table.halo.high, extendedStride: table.extendedStride,
            wraps: table.inner.wraps)
    }
}

/// The windows of one operation on one pair of points: addresses that are the same for all its blocks.
@unsafe struct WindowRun<Element: KernelScalar> {
    private let table: WindowTable
    private let sums: (UnsafePointer<Element>, UnsafePointer<Element>)?
    private let variances: (Variances<Element>, Variances<Element>)?
    private let extended, extendedTheta: UnsafeMutablePointer<Element>
    private let alone: UnsafeMutablePointer<Element>
    private let pointers: UnsafeMutablePointer<UnsafePointer<Element>?>
    private let size, stride: Int
    private let template: BlockWindow<Element>

    /// - Parameter isDistance: beyond the edges stand variances; else zeros do.
    init(_ pass: SpatialPass<Element>, _ index: Int, _ table: WindowTable, isDistance: Bool) {
        unsafe self.table = table
        unsafe size = table.input.blockSize
        unsafe stride = table.input.grid.stride
        let input = pass.program.instructions[index].inputs[0]
        if isDistance, let own = pass.first.windowSums[index], let other = pass.second.windowSums[index],
            let first = pass.first.variances[input], let second = pass.second.variances[input]
        {
            unsafe sums = (UnsafePointer(own.base), UnsafePointer(other.base))
            unsafe variances = (first, second)
        } else {
            unsafe sums = nil
            unsafe variances = nil
        }
        // Rows begin a register's width into their storage but for the margin, so that what is inside the edges is aligned.
        let size = table.extendedRows * table.extendedStride
        let margin = KernelLoops.run - table.halo.low % KernelLoops.run
        unsafe extended = pass.scratch.elements(1, size + KernelLoops.run).base + margin
        unsafe extendedTheta = pass.scratch.elements(3, size + KernelLoops.run).base + margin
        unsafe alone = pass.scratch.elements(2, 2 * table.input.grid.stride).base
        unsafe pointers = pass.scratch.pointers(2 * table.rowTaps)
        unsafe template = BlockWindow(table)
    }

    /// The sums over the leading axes for one output block of a plane, with margins along the last; valid until the next of its kind.
    func extend(_ block: Int, _ input: UnsafeMutablePointer<Element>, hasVariances: Bool) -> UnsafePointer<Element> {
        let extended = unsafe hasVariances ? extended : extendedTheta
        unsafe Element.extendBlock(extended, window(block, input, hasVariances: hasVariances))
        return unsafe UnsafePointer(extended)
    }

    /// One output block of one plane.
    func block(_ block: Int, _ input: UnsafeMutablePointer<Element>, _ output: UnsafeMutablePointer<Element>, hasVariances: Bool) {
        let window = unsafe window(block, input, hasVariances: hasVariances)
        unsafe Element.extendBlock(extended, window)
        if unsafe table.isContiguous {
            unsafe Element.slideBlock(
                output, rows: table.output.grid.width, stride: table.output.grid.stride, extended, extendedStride: template.extendedStride,
                taps: table.inner.window, scale: Element(table.scale))
        } else {
            unsafe lookUp(window, output)
        }
    }

    /// What one output block sums; of each kind (with and without variances) valid until the next.
    func window(_ block: Int, _ input: UnsafeMutablePointer<Element>, hasVariances: Bool) -> BlockWindow<Element> {
        var window = unsafe template
        let start = unsafe Int(table.starts[block])
        unsafe window.count = Int(table.starts[block + 1]) - start
        let pointers = unsafe hasVariances ? pointers : pointers + table.rowTaps
        unsafe window.blocks = UnsafePointer(pointers)
        for k in 0..<(unsafe window.count) { unsafe pointers[k] = UnsafePointer(input + Int(table.blocks[start + k]) * size) }
        if hasVariances, let sums = unsafe sums {
            let pair = unsafe table.output.pairs[block]
            unsafe window.first = sums.0 + pair.first * stride
            unsafe window.second = sums.1 + pair.second * stride
            if let rows = unsafe table.alone[block], let variances = unsafe variances {
                unsafe window.firstAlone = add(rows.first, variances.0, alone)
                unsafe window.secondAlone = add(rows.second, variances.1, alone + stride)
            }
        }
        return unsafe window
    }

    /// The variances of some rows, added up.
    private func add(_ rows: [Int], _ variances: Variances<Element>, _ sum: UnsafeMutablePointer<Element>) -> UnsafePointer<Element>? {
        guard !rows.isEmpty else { return nil }
        unsafe sum.initialize(repeating: 0, count: stride)
        for row in rows {
            let source = unsafe variances.row(row)
            for x in 0..<(unsafe stride) { unsafe sum[x] += source[x] }
        }
        return unsafe UnsafePointer(sum)
    }

    /// Windows along the last axis one by one: strides, and the geomeof a convolution's gradient.
    private func lookUp(_ window: BlockWindow<Element>, _ output: UnsafeMutablePointer<Element>) {
        let table = unsafe table
        let scale = Element(table.scale)
        unsafe output.initialize(repeating: 0, count: table.output.blockSize)
        for r in 0..<table.output.grid.width {
            for c in 0..<table.output.grid.width {
                var sum: Element = 0
                for tap in 0..<table.inner.window {
                    switch (table.inner.source(r, tap), table.inner.source(c, tap)) {
                    case (let x1?, let x2?): unsafe sum += extended[x1 * window.extendedStride + x2]
                    case (let x1?, nil): unsafe sum += window.first.map { unsafe $0[x1] } ?? 0
                    case (nil, let x2?): unsafe sum += window.second.map { unsafe $0[x2] } ?? 0
                    case (nil, nil): break
                    }
                }
                unsafe output[r * table.output.grid.stride + c] = scale * sum
            }
        }
    }
}
