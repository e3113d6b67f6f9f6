internal import LinearAlgebra

/// A loop over the elements of a tensor in row-major order, with up to three tensors at strides of their own beside it.
///
/// Neighbouring axes that all tensors walk through evenly are one; the last axis is the run that callers loop over themselves.
struct StridedLoop: Sendable {
    /// Extents of all axes but the last, and distances along each for the three.
    private var extents: [Int] = []
    private var first: [Int] = []
    private var second: [Int] = []
    private var third: [Int] = []
    /// The last axis.
    private(set) var run = 1
    private(set) var runStrides = (first: 0, second: 0, third: 0)
    /// Whether there are no elements.
    let isEmpty: Bool

    init(shape: [Int], _ first: [Int], _ second: [Int]? = nil, _ third: [Int]? = nil) {
        let zeros = [Int](repeating: 0, count: shape.count)
        isEmpty = shape.contains(0)
        var axes: [(extent: Int, a: Int, b: Int, c: Int)] = []
        for axis in shape.indices where shape[axis] != 1 {
            let (a, b, c) = (first[axis], (second ?? zeros)[axis], (third ?? zeros)[axis])
            let extent = shape[axis]
            // Shapes that no tensor may have are refused later, and must not overflow here.
            if let last = axes.last, last.a == a.multipliedClamped(by: extent), last.b == b.multipliedClamped(by: extent),
                last.c == c.multipliedClamped(by: extent)
            {
                axes[axes.count - 1] = (last.extent.multipliedClamped(by: extent), a, b, c)
            } else {
                axes.append((shape[axis], a, b, c))
            }
        }
        if let last = axes.popLast() {
            run = last.extent
            runStrides = (last.a, last.b, last.c)
        }
        extents = axes.map(\.extent)
        self.first = axes.map(\.a)
        self.second = axes.map(\.b)
        self.third = axes.map(\.c)
    }

    /// Calls `body` for each run with the place of its first element in the loop's own order, and in the three tensors.
    @inline(__always)
    func forEachRun(_ body: (_ place: Int, _ first: Int, _ second: Int, _ third: Int) -> Void) {
        guard !isEmpty else { return }
        if extents.isEmpty { return body(0, 0, 0, 0) }
        var index = [Int](repeating: 0, count: extents.count)
        var (a, b, c) = (0, 0, 0)
        var place = 0
        while true {
            body(place, a, b, c)
            place += run
            var axis = extents.count - 1
            while true {
                index[axis] += 1
                a += first[axis]
                b += second[axis]
                c += third[axis]
                if index[axis] < extents[axis] { break }
                index[axis] = 0
                a -= first[axis] * extents[axis]
                b -= second[axis] * extents[axis]
                c -= third[axis] * extents[axis]
                axis -= 1
                if axis < 0 { return }
            }
        }
    }
}

/// Shapes that numpy's rule makes one: aligned at the end, extents equal or one of them 1.
enum Broadcasting {
    /// The common shape; nil if there is none.
    static func shape(_ shapes: [[Int]]) -> [Int]? {
        let rank = shapes.map(\.count).max() ?? 0
        var result = [Int](repeating: 1, count: rank)
        for shape in shapes {
            for (axis, extent) in shape.enumerated() {
                let place = rank - shape.count + axis
                if result[place] == 1 { result[place] = extent } else if extent != 1, extent != result[place] { return nil }
            }
        }
        return result
    }

    /// Distances of a tensor's elements along the axes of the common shape: 0 where it is repeated.
    static func strides(_ shape: [Int], in common: [Int]) -> [Int] {
        let own = shape.strides
        let shift = common.count - shape.count
        return common.indices.map { $0 < shift || shape[$0 - shift] == 1 ? 0 : own[$0 - shift] }
    }
}
