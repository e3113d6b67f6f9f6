internal import LinearAlgebra
internal import NTK

// The kernel in tiles, for systems that are too large for a factor.
extension AnalyticTraining {
    var canBePacked: Bool { true }

    func packed(_ groups: DuplicateGroups, on tiles: any TileExecutor) throws -> PackedKernel? {
        let distinct = points(groups)
        return try checked {
            let diagonal = try kernel.diagonals(distinct.x, patterns: distinct.pattern, kinds: [kind], as: Double.self, on: tiles)[kind]
            return try PackedKernel(order: groups.groupCount, diagonal: diagonal ?? []) { rows, columns in
                try block(distinct, rows, columns, as: Float.self, on: tiles)
            }
        }
    }

    func multiply(_ groups: DuplicateGroups, _ vectors: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let distinct = points(groups)
        let n = groups.groupCount
        let blocks = stride(from: 0, to: n, by: PackedKernel.standardSide).map { $0..<min($0 + PackedKernel.standardSide, n) }
        let result = Matrix<Double>(zeroRows: n, columns: vectors.columns)
        let parts = blocks.map { vectors.rows(Array($0)) }
        return try checked {
            for (row, rows) in blocks.enumerated() {
                for (column, columns) in blocks.enumerated().dropFirst(row) {
                    let tile = try block(distinct, rows, columns, as: Double.self, on: tiles)
                    result.addRows(try tile.multiply(parts[column], on: tiles), at: rows.lowerBound)
                    if row != column { result.addRows(try tile.transposedMultiply(parts[row], on: tiles), at: columns.lowerBound) }
                }
            }
            return result
        }
    }

    private func block<Element: KernelScalar>(
        _ points: (x: Matrix<Double>, pattern: Matrix<Double>?), _ rows: Range<Int>, _ columns: Range<Int>, as _: Element.Type,
        on tiles: any TileExecutor
    ) throws -> Matrix<Element> {
        let (own, pattern) = (points.x.rows(Array(rows)), points.pattern?.rows(Array(rows)))
        let matrix =
            if rows == columns {
                try kernel.matrices(own, patterns: pattern.map { ($0, nil) }, kinds: [kind], as: Element.self, on: tiles)[kind]
            } else {
                try kernel.matrices(
                    own, points.x.rows(Array(columns)), patterns: pattern.map { ($0, points.pattern?.rows(Array(columns))) }, kinds: [kind],
                    as: Element.self, on: tiles)[kind]
            }
        return matrix ?? Matrix(zeroRows: rows.count, columns: columns.count)
    }

    private func checked<Result>(_ make: () throws -> Result) throws -> Result {
        do {
            return try make()
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x_train", "x_train"))
        }
    }
}
