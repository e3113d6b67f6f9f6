internal import LinearAlgebra

/// Adds the share of a weight [channels, columns] whose cotangents are v[o, c, t] = A[o, c] B[c, t] for the rows o of a point.
///
/// The gradient of row (i, o) is A_i[o, c] M_i[c, ·] with M_i = B_i U_iᵀ, so that
/// K[(i, o), (j, p)] = Σ_c A_i[o, c] A_j[p, c] ⟨M_i[c], M_j[c]⟩.
/// Time: n t + n² for each element of the weight and n² k² for each channel, where gradients take n² k² for each element.
/// A and B are read from v: B is the row with the largest number of its channel, and A what others have at that place.
struct ChannelContraction<F: NetworkScalar>: Sendable {
    let left: KernelSide
    let right: KernelSide
    let products: BlockProducts<F>

    /// Elements of a block of ⟨M_i[c], M_j[c]⟩.
    private static var blockElements: Int { 1 << 20 }

    private var channels: Int { left.use.products.rowExtent }
    private var columns: Int { left.use.products.sampleExtent }

    /// A [channels, samples, cotangents] and M [channels, samples, columns].
    private struct Parts: Sendable {
        let numbers: Buffer
        let gradients: Buffer
    }

    func add(to target: Cells<F>, _ context: PassContext) throws {
        let first = try parts(left, context)
        let second = products.isSame ? first : try parts(right, context)
        defer { withExtendedLifetime((first, second)) {} }
        let height = max(1, min(64, (left.samples + 3) / 4, Self.blockElements / max(channels * right.samples, 1)))
        let work = self
        if context.isCancelled() { throw CancellationError() }
        try context.executor.forEach((left.samples + height - 1) / height) { block in
            if context.isCancelled() { throw CancellationError() }
            work.add(block * height..<min((block + 1) * height, work.left.samples), first, second, target)
        }
    }

    private func parts(_ side: KernelSide, _ context: PassContext) throws -> Parts {
        let (k, t, samples, channels, columns) = (side.cotangents, side.positions, side.samples, channels, columns)
        let parts = Parts(
            numbers: Buffer(F.self, count: channels * samples * k), gradients: Buffer(F.self, count: channels * samples * columns))
        let (a, m) = (parts.numbers.cells(F.self, channels * samples * k), parts.gradients.cells(F.self, channels * samples * columns))
        try context.forEachRange(samples, operations: Double(channels * t * (2 * columns + k))) { range in
            Buffer.withScratch(F.self, channels * t) { b in
                for sample in range {
                    for channel in 0..<channels {
                        let numbers = a.from((channel * samples + sample) * k, k)
                        Self.separate(side, sample, channel, b.from(channel * t, t), numbers)
                    }
                    unsafe F.gemmTransposed(
                        channels, columns, t, alpha: 1, b.base, t, side.sampleFactor(sample, F.self).base, t, beta: 0,
                        m.base + sample * columns, samples * columns)
                }
            }
        }
        return parts
    }

    /// One channel of a point: its function of the place, and the numbers of the rows.
    private static func separate(_ side: KernelSide, _ sample: Int, _ channel: Int, _ b: Cells<F>, _ numbers: Cells<F>) {
        let (k, t) = (side.cotangents, side.positions)
        var (largest, row, place): (F, Int, Int) = (0, 0, 0)
        for o in 0..<k {
            let v = side.rowFactor(sample * k + o, F.self).from(channel * t, t)
            for index in 0..<t {
                let size = abs(v[index])
                // What is no number is handed on.
                if size > largest || size.isNaN { (largest, row, place) = (size, o, index) }
                if size.isNaN { break }
            }
            if largest.isNaN { break }
        }
        b.copy(side.rowFactor(sample * k + row, F.self).from(channel * t, t))
        for o in 0..<k {
            numbers[o] = largest == 0 ? 0 : side.rowFactor(sample * k + o, F.self)[channel * t + place] / b[place]
        }
    }

    /// The entries of some points of the left side with all of the right.
    private func add(_ rows: Range<Int>, _ first: Parts, _ second: Parts, _ target: Cells<F>) {
        let (n1, n2, k, channels, columns) = (left.samples, right.samples, left.cotangents, channels, columns)
        // Of the same points, those up to the block's own.
        let width = products.isSame ? rows.upperBound : n2
        let a = (first.numbers.cells(F.self, channels * n1 * k), second.numbers.cells(F.self, channels * n2 * k))
        let m = (first.gradients.cells(F.self, channels * n1 * columns), second.gradients.cells(F.self, channels * n2 * columns))
        let each = rows.count * width
        Buffer.withScratch(F.self, channels * each) { s in
            for channel in 0..<channels {
                unsafe F.gemmTransposed(
                    rows.count, width, columns, alpha: 1, m.0.base + (channel * n1 + rows.lowerBound) * columns, columns,
                    m.1.base + channel * n2 * columns, columns, beta: 0, s.base + channel * each, width)
            }
            switch products.form {
            case .full: full(rows, width, s, a, target)
            case .trace, .diagonal: summed(rows, width, s, a, target)
            }
        }
    }

    /// K_i[o, (j, p)] += Σ_c A_i[o, c] Z[c, (j, p)] with Z[c, (j, p)] = S[c, i, j] A_j[p, c].
    private func full(_ rows: Range<Int>, _ width: Int, _ s: Cells<F>, _ a: (Cells<F>, Cells<F>), _ target: Cells<F>) {
        let (n1, n2, k, channels) = (left.samples, right.samples, left.cotangents, channels)
        Buffer.withScratch(F.self, channels * width * k) { z in
            for i in rows {
                for channel in 0..<channels {
                    let line = s.from((channel * rows.count + i - rows.lowerBound) * width, width)
                    let (numbers, result) = unsafe (a.1.base + channel * n2 * k, z.base + channel * width * k)
                    for j in 0..<width {
                        let factor = line[j]
                        for p in j * k..<(j + 1) * k { unsafe result[p] = factor * numbers[p] }
                    }
                }
                unsafe F.gemmLeftTransposed(
                    k, width * k, channels, alpha: 1, a.0.base + i * k, n1 * k, z.base, width * k, beta: 1, target.base + i * k * n2 * k, n2 * k)
            }
        }
    }

    /// K[i, j] += Σ_c S[c, i, j] Σ_o A_i[o, c] A_j[o, c], or each output by itself.
    private func summed(_ rows: Range<Int>, _ width: Int, _ s: Cells<F>, _ a: (Cells<F>, Cells<F>), _ target: Cells<F>) {
        let (n1, n2, k, channels) = (left.samples, right.samples, left.cotangents, channels)
        for channel in 0..<channels {
            for i in rows {
                let line = s.from((channel * rows.count + i - rows.lowerBound) * width, width)
                let own = a.0.from((channel * n1 + i) * k, k)
                let others = a.1.from(channel * n2 * k, n2 * k)
                for j in 0..<width {
                    if products.form == .trace {
                        var sum: F = 0
                        for o in 0..<k { sum += own[o] * others[j * k + o] }
                        target[i * n2 + j] += line[j] * sum
                    } else {
                        for o in 0..<k { target[(o * n1 + i) * n2 + j] += line[j] * own[o] * others[j * k + o] }
                    }
                }
            }
        }
    }
}
