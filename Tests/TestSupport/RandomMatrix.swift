package import LinearAlgebra

extension Matrix where Element == Double {
    /// Elements uniform in [-1, 1].
    package static func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = SeededGenerator(seed: seed)
        return Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Double.random(in: -1...1, using: &generator) })
    }

    package init(_ rows: [[Double]]) {
        self.init(rows: rows.count, columns: rows.first?.count ?? 0, rows.flatMap { $0 })
    }
}
