/// Calls `body` with every index of an array of this shape, the last axis fastest; once with [] for no axes.
package func forEachIndex<Failure: Error>(_ shape: [Int], _ body: ([Int]) throws(Failure) -> Void) throws(Failure) {
    guard shape.allSatisfy({ $0 > 0 }) else { return }
    var index = [Int](repeating: 0, count: shape.count)
    while true {
        try body(index)
        guard let axis = shape.indices.reversed().first(where: { index[$0] + 1 < shape[$0] }) else { return }
        index[axis] += 1
        for later in index.indices where later > axis { index[later] = 0 }
    }
}

/// The place of an index in row-major order.
package func flatIndex(_ index: [Int], _ shape: [Int]) -> Int {
    zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
}
