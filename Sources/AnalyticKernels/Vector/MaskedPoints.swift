import LinearAlgebra
import Synchronization

/// Vectors with masked entries (NaN): these count as zero, and a point with nothing else is left out altogether.
struct MaskedPoints {
    let values: Matrix<Double>
    /// Points without a single number, whose kernel values are zero.
    let missing: [Int]

    init(_ x: Matrix<Double>, on executor: any TileExecutor) throws {
        guard try Self.hasMask(x, on: executor) else {
            values = x
            missing = []
            return
        }
        let copy = x.copy()
        var missing: [Int] = []
        for row in 0..<x.rows {
            let numbers = unsafe UnsafeMutableBufferPointer(start: copy.base + row * x.columns, count: x.columns)
            if unsafe numbers.allSatisfy(\.isNaN) { missing.append(row) }
            for column in 0..<x.columns where unsafe numbers[column].isNaN { unsafe numbers[column] = 0 }
        }
        values = copy
        self.missing = missing
    }
}

extension MaskedPoints {
    private static func hasMask(_ x: Matrix<Double>, on executor: any TileExecutor) throws -> Bool {
        let (count, part) = (x.rows * x.columns, 1 << 18)
        let isFound = Atomic(false)
        try executor.forEach((count + part - 1) / part) { index in
            let (start, end) = (index * part, min((index + 1) * part, count))
            guard unsafe hasMask(UnsafeBufferPointer(start: x.base + start, count: end - start)) else { return }
            isFound.store(true, ordering: .relaxed)
        }
        return isFound.load(ordering: .relaxed)
    }

    /// Whether there is a NaN, looked for in whole blocks, which leaves the loop over a block to vector registers.
    private static func hasMask(_ numbers: UnsafeBufferPointer<Double>) -> Bool {
        let block = 4_096
        for start in stride(from: 0, to: numbers.count, by: block) {
            var lanes = SIMD8<Double>(repeating: 0)
            var index = start
            let end = min(start + block, numbers.count)
            while index + 8 <= end {
                let part = unsafe UnsafeRawPointer(numbers.baseAddress.unsafelyUnwrapped + index).loadUnaligned(as: SIMD8<Double>.self)
                lanes.replace(with: part, where: part .!= part)
                index += 8
            }
            var hasOne = any(lanes .!= lanes)
            while index < end {
                hasOne = unsafe hasOne || numbers[index].isNaN
                index += 1
            }
            if hasOne { return true }
        }
        return false
    }
}

extension Matrix {
    /// Sets whole rows and columns to zero, in place.
    func clear(rows: [Int], columns: [Int]) {
        for row in rows { unsafe (base + row * self.columns).update(repeating: 0, count: self.columns) }
        for column in columns {
            for row in 0..<self.rows { unsafe base[row * self.columns + column] = 0 }
        }
    }
}
