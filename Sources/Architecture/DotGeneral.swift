package import Activations
import LinearAlgebra

/// A constant array on one side of a product over some axes, as `lax.dot_general`.
public struct DotGeneral: Sendable, Equatable {
    public enum Side: String, Sendable, CaseIterable {
        case lhs, rhs
    }

    /// The side on which the constant stands.
    public var side: Side
    public var shape: [Int]
    public var elements: [Double]
    /// Axes that are summed over, and axes that are paired, of the left and of the right side.
    public var contracting: (lhs: [Int], rhs: [Int])
    public var batch: (lhs: [Int], rhs: [Int])

    public init(
        side: Side, shape: [Int], elements: [Double], contracting: (lhs: [Int], rhs: [Int]), batch: (lhs: [Int], rhs: [Int])
    ) {
        self.side = side
        self.shape = shape
        self.elements = elements
        self.contracting = contracting
        self.batch = batch
    }

    public static func == (a: DotGeneral, b: DotGeneral) -> Bool {
        a.side == b.side && a.shape == b.shape && a.elements == b.elements && a.contracting == b.contracting && a.batch == b.batch
    }
}

extension DotGeneral: PositionMapRule {
    /// As with `lax.dot_general`, the result's axes are the paired ones, then what is left of the left side, then of the right side; the
    /// sample axis must stay first and the channels last.
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireNumbered(value.spatial, at: path)
        let rank = value.spatial.count + 2
        let isRight = side == .rhs
        let own = isRight ? (contracting.lhs, batch.lhs) : (contracting.rhs, batch.rhs)
        let other = isRight ? (contracting.rhs, batch.rhs) : (contracting.lhs, batch.lhs)
        let spatial = 1...max(rank - 2, 1)
        guard own.0.count == other.0.count, own.1.count == other.1.count else {
            throw ArchitectureError(path: path, detail: "as many axes on the left as on the right expected, summed over and paired")
        }
        guard (own.0 + own.1).allSatisfy({ spatial.contains($0) && $0 < rank - 1 }), Set(own.0 + own.1).count == own.0.count + own.1.count else {
            throw ArchitectureError(path: path, detail: "each spatial axis (1 to \(rank - 2)) at most once expected: samples and channels stay")
        }
        guard (other.0 + other.1).allSatisfy({ $0 >= 0 && $0 < shape.count }), Set(other.0 + other.1).count == other.0.count + other.1.count else {
            throw ArchitectureError(path: path, detail: "axes of the constant from 0 to \(shape.count - 1), each at most once, expected")
        }
        for (mine, its) in zip(own.0 + own.1, other.0 + other.1) where value.spatial[mine - 1] != shape[its] {
            throw ArchitectureError(
                path: path,
                detail: "axis \(its) of the constant as long as axis \(mine) of the input expected: \(value.spatial[mine - 1]); it has \(shape[its])")
        }
        // Paired axes would come before the sample axis, and free axes of a right constant after the channels: they are put back in place,
        // paired ones where they were, free ones after the spatial axes that are left.
        let free = shape.indices.filter { !(other.0 + other.1).contains($0) }
        let kept = (1..<rank - 1).filter { !own.0.contains($0) }
        let old = value.spatial
        value.spatial = kept.map { old[$0 - 1] } + free.map { shape[$0] }
        try compiler.checkPositions(value, at: path)
        let (outputs, summed) = (value.positions, own.0.lazy.map { old[$0 - 1] }.clampedProduct)
        let terms = outputs.multipliedClamped(by: summed)
        try compiler.meter.take(SparseRows.bytes(rows: outputs, entries: terms), at: path)
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.reversed().dropFirst() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        var rows = SparseRows(input: old.clampedProduct)
        try compiler.located(path) { [meter = compiler.meter] () throws(ArchitectureError) in
            try forEachIndex(value.spatial) { output throws(ArchitectureError) in
                try meter.step(summed)
                var place = [Int](repeating: 0, count: old.count)
                for (k, axis) in kept.enumerated() { place[axis - 1] = output[k] }
                var offset = 0
                for (k, axis) in free.enumerated() { offset += output[kept.count + k] * strides[axis] }
                for (mine, its) in zip(own.1, other.1) { offset += place[mine - 1] * strides[its] }
                forEachIndex(own.0.map { old[$0 - 1] }) { summed in
                    var element = offset
                    for (k, axis) in own.0.enumerated() {
                        place[axis - 1] = summed[k]
                        element += summed[k] * strides[other.0[k]]
                    }
                    let weight = elements[element]
                    if weight != 0 { rows.append(position: flatIndex(place, old), weight: weight) }
                }
                rows.endRow()
            }
        }
        return try compiler.append(.map(SpatialMap(rows)), [input], value, at: path)
    }
}
