internal import LinearAlgebra
internal import NTK

/// Points as an analytic kernel takes them.
struct KernelPoints: Sendable {
    var x: Matrix<Double>
    var pattern: Matrix<Double>?

    func rows(_ indices: [Int]) -> KernelPoints { KernelPoints(x: x.rows(indices), pattern: pattern?.rows(indices)) }
    func rows(_ range: Range<Int>) -> KernelPoints { rows(Array(range)) }
}

extension AnalyticKernel {
    /// The kernel between two sets of points, or, without the second, among those of the first; in blocks that are kept, where that is done.
    /// - Parameters:
    ///   - name: of the matrix, among those of the computation.
    ///   - whole: another way to all of it.
    func matrix<Element: KernelScalar>(
        _ name: String, place: String = "", _ kind: KernelKind, _ first: KernelPoints, _ second: KernelPoints? = nil, on tiles: any TileExecutor,
        whole: (() throws -> Kernels<Matrix<Element>>)? = nil
    ) throws -> Matrix<Element> {
        try tiles.pairs(
            name, place: place, rows: first.x.rows, columns: (second ?? first).x.rows, isSymmetric: second == nil,
            operationsPerPair: operationsPerPair, as: Element.self
        ) {
            try whole?()[kind] ?? entries(kind, first, second, on: tiles)
        } block: { tile in
            try entry(kind, block(tile, kinds: [kind], first, second, on: tiles))
        }
    }

    /// A tile of the kernels between two sets of points, or, without the second, among those of the first.
    func block<Element: KernelScalar>(
        _ tile: Tile, kinds: Set<KernelKind>, _ first: KernelPoints, _ second: KernelPoints?, on tiles: any TileExecutor
    ) throws -> Kernels<Matrix<Element>> {
        let isOnDiagonal = second == nil && tile.rows == tile.columns
        do {
            return try matrices(
                kinds, first.rows(tile.rows), isOnDiagonal ? nil : (second ?? first).rows(tile.columns), on: tiles)
        } catch let error as KernelError {
            throw error.ofWhole(tile, isAmongOneSet: second == nil)
        }
    }

    func entries<Element: KernelScalar>(
        _ kind: KernelKind, _ first: KernelPoints, _ second: KernelPoints?, on tiles: any TileExecutor
    ) throws -> Matrix<Element> {
        try entry(kind, matrices([kind], first, second, on: tiles))
    }

    private func entry<Element: KernelScalar>(_ kind: KernelKind, _ kernels: Kernels<Matrix<Element>>) -> Matrix<Element> {
        kernels[kind] ?? Matrix(zeroRows: 0, columns: 0)
    }

    private func matrices<Element: KernelScalar>(
        _ kinds: Set<KernelKind>, _ first: KernelPoints, _ second: KernelPoints?, on tiles: any TileExecutor
    ) throws -> Kernels<Matrix<Element>> {
        try matrices(first.x, second?.x, patterns: first.pattern.map { ($0, second?.pattern) }, kinds: kinds, as: Element.self, on: tiles)
    }
}
