public import LinearAlgebra

/// φ = R g/√D for gradients g [p] and a random matrix R [D, p] of independent numbers of mean 0 and variance 1, so that E⟨φ, φ'⟩ = ⟨g, g'⟩
/// with a standard deviation of at most √((‖g‖²‖g'‖² + ⟨g, g'⟩²)/D) (Johnson & Lindenstrauss 1984; Achlioptas 2003 for signs).
///
/// R is never kept: each number is a function of the seed, the parameter's name and the place in it, so that the features of one point are the
/// same beside whatever others, and those of several parameters the sum of those of each.
public struct RandomProjection: Sendable {
    public enum Kind: Sendable { case rademacher, gaussian }

    public let kind: Kind
    /// D.
    public let dimension: Int
    private let random: Philox

    public init(_ kind: Kind, dimension: Int, seed: UInt64) {
        (self.kind, self.dimension) = (kind, dimension)
        random = Philox(seed: seed)
    }

    /// Columns that are made at once, as many as there are bits, and elements of a parameter.
    private static var columns: Int { 128 }
    private static var elements: Int { 256 }

    /// Operations of drawing all numbers for p elements once, beside 2 n p D of the products.
    public func drawOperations(_ count: Int) -> Double { Double(count) * Double(dimension) * (kind == .rademacher ? 1.5 : 60) }

    /// Adds the features of rows [n, count] of one parameter's gradients to `target` [n, D].
    @specialized(where F == Double)
    @specialized(where F == Float)
    public func add<F: NetworkScalar>(
        _ rows: Matrix<F>, of name: String, to target: Matrix<F>, _ context: PassContext
    ) throws {
        defer { withExtendedLifetime((rows, target)) {} }
        let source = unsafe Cells<F>(address: UInt(bitPattern: rows.base), count: rows.rows * rows.columns)
        let result = unsafe Cells<F>(address: UInt(bitPattern: target.base), count: target.rows * target.columns)
        try add(source, rows.rows, rows.columns, of: name, to: result, context)
    }

    func add<F: NetworkScalar>(
        _ rows: Cells<F>, _ n: Int, _ count: Int, of name: String, to target: Cells<F>, _ context: PassContext
    ) throws {
        let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let work = self
        // Each tile has columns of its own, so that sums do not depend on the threads.
        let tiles = (dimension + Self.columns - 1) / Self.columns
        if context.isCancelled() { throw CancellationError() }
        try context.executor.forEach(tiles) { tile in
            let columns = tile * Self.columns..<min((tile + 1) * Self.columns, work.dimension)
            let scratch = Buffer(F.self, count: Self.elements * columns.count)
            defer { withExtendedLifetime(scratch) {} }
            let numbers = scratch.cells(F.self, Self.elements * columns.count)
            for start in stride(from: 0, to: count, by: Self.elements) {
                if context.isCancelled() { throw CancellationError() }
                let each = min(Self.elements, count - start)
                for element in 0..<each { work.draw(element + start, hash, columns, numbers.from(element * columns.count, columns.count)) }
                unsafe F.gemm(
                    n, columns.count, each, alpha: 1 / F(work.dimension).squareRoot(), rows.base + start, count, numbers.base, columns.count,
                    beta: 1, target.base + columns.lowerBound, work.dimension)
            }
        }
    }

    /// R at one element of a parameter and some components.
    @inline(__always)
    private func draw<F: NetworkScalar>(_ element: Int, _ name: UInt64, _ columns: Range<Int>, _ target: Cells<F>) {
        let (low, high) = (UInt32(truncatingIfNeeded: name), UInt32(truncatingIfNeeded: name >> 32))
        let place = UInt32(truncatingIfNeeded: element)
        switch kind {
        case .rademacher:
            let bits = random[place, UInt32(columns.lowerBound / Self.columns), low, high]
            for word in 0..<4 {
                let signs = word == 0 ? bits.0 : word == 1 ? bits.1 : word == 2 ? bits.2 : bits.3
                for column in 32 * word..<max(32 * word, min(32 * word + 32, columns.count)) {
                    target[column] = signs >> UInt32(column - 32 * word) & 1 == 0 ? 1 : -1
                }
            }
        case .gaussian:
            for column in stride(from: columns.lowerBound, to: columns.upperBound, by: 2) {
                let (first, second) = Philox.normals(random[place, UInt32(column / 2), low, high])
                target[column - columns.lowerBound] = F(first)
                if column + 1 < columns.upperBound { target[column + 1 - columns.lowerBound] = F(second) }
            }
        }
    }
}
