public import Architecture
public import LinearAlgebra

extension EmpiricalKernel {
    /// A kernel in the blocks of pairs of points in which it is computed: its rounding depends on them, and on nothing else.
    public struct Blocks<Element: Scalar>: Sendable {
        /// The pairs of each.
        public let tiles: [Tile]
        /// Points on a side of a block.
        public let side: Int
        /// Columns of the kernel.
        public let columns: Int
        /// Of the parameters whose shares are computed.
        public let names: [String]
        private let kernel: EmpiricalKernel
        private let weights: NetworkWeights<Element>
        private let x1: Matrix<Double>
        private let x2: Matrix<Double>?
        private let patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)?
        private let selection: OutputSelection
        private let outputs: [Int]
        private let groups: [Int]

        public init(
            _ kernel: EmpiricalKernel, _ x1: Matrix<Double>, _ x2: Matrix<Double>?, patterns: (x1: Matrix<Double>, x2: Matrix<Double>?)?,
            outputs selection: OutputSelection, isLayerwise: Bool
        ) {
            self.kernel = kernel
            self.x1 = x1
            self.x2 = x2
            self.patterns = patterns
            self.selection = selection
            weights = NetworkWeights(kernel.parameters, kernel.network.program)
            outputs = selection.outputs(of: kernel.network.outputs)
            groups = isLayerwise ? kernel.included.sorted() : []
            names = groups.map { kernel.network.parameters[$0].name }
            columns = (x2?.rows ?? x1.rows) * KernelTiles<Element>.entries(selection.form, outputs.count)
            side = kernel.blockSide(selection, n1: x1.rows, n2: x2?.rows, as: Element.self)
            tiles = TileGrid(rows: x1.rows, columns: x2?.rows ?? x1.rows, side: side, upperOnly: x2 == nil).tiles
        }

        /// Where a block stands in the kernel, and in each share.
        public func places(_ index: Int) -> [Tile] {
            let points = x2?.rows ?? x1.rows
            return tiles[index].places(mirrored: x2 == nil).map { $0.widened(by: columns / points) }
        }

        /// Writes a block to the kernel and the shares [n1, columns].
        @specialized(where Element == Double)
        @specialized(where Element == Float)
        public func compute(_ index: Int, total: Matrix<Element>, shares: [Matrix<Element>], on executor: any TileExecutor) throws {
            let block = tiles[index]
            let isSquare = x2 == nil && block.rows == block.columns
            let pass = KernelPass(
                kernel: kernel, form: selection.form, outputs: outputs, rows: block.rows.count, columns: block.columns.count,
                isSymmetric: isSquare, groups: groups, elementType: Element.self)
            let program = kernel.network.program
            let first = try ForwardPass(program, weights, x1, patterns: patterns?.x1, rows: block.rows, on: executor)
            let second =
                isSquare
                ? nil
                : try ForwardPass(
                    program, weights, x2 ?? x1, patterns: x2 == nil ? patterns?.x1 : patterns?.x2, rows: block.columns, on: executor)
            try pass.run(first, second, on: executor)
            let origin = (block.rows.lowerBound, block.columns.lowerBound)
            let factor = selection == .mean ? 1 / Element(outputs.count) : 1
            for (tiles, share) in zip(pass.shares, shares) {
                try tiles.store(share, at: origin, factor: factor, mirrored: x2 == nil, on: executor)
            }
            try pass.total.store(total, at: origin, factor: factor, mirrored: x2 == nil, on: executor)
        }

        /// Makes the kernel of the shares, where there are any, when all blocks are there.
        /// - Throws: `NetworkError.overflow`.
        public func complete(total: Matrix<Element>, shares: [Matrix<Element>]) throws(NetworkError) {
            if !shares.isEmpty {
                for place in 0..<total.rows * total.columns {
                    var sum: Element = 0
                    for share in shares { sum += unsafe share.base[place] }
                    unsafe total.base[place] = sum
                }
            }
            try EmpiricalKernel.requireFinite(total)
        }
    }
}
