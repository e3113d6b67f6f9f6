package import LinearAlgebra
internal import Locks

/// Keeps blocks in memory, and stops the computation after some of them, as a kill does.
package final class StoppingKeeper: BlockKeeper {
    package struct Stop: Error {
        package init() {}
    }

    private struct State {
        var matrices: [String: (matrix: any Sendable, done: Int)] = [:]
        var computed: [String] = []
        var allowed = Int.max
    }

    package let blockOperations: Double
    private let state = Lock(State())

    package init(blockOperations: Double) { self.blockOperations = blockOperations }

    /// Names of the matrices whose blocks were computed, a name a block.
    package var computed: [String] { state.withLock { $0.computed } }

    /// Lets some blocks be kept.
    package func allow(_ blocks: Int) { state.withLock { $0.allowed = blocks } }

    package func matrix<Element: Scalar>(
        _ name: String, plan: String, inputs: [Matrix<Double>], rows: Int, columns: Int, blocks: Int, as _: Element.Type,
        places: @escaping @Sendable (_ block: Int) -> [Tile], compute: (_ block: Int, _ matrix: Matrix<Element>) throws -> Void
    ) throws -> Matrix<Element>? {
        let key = "\(name) \(plan) \(rows) \(columns) \(inputs.map { $0.elements.map(\.bitPattern) })"
        let (known, done) = state.withLock { state in
            let known = state.matrices[key] ?? (Matrix<Element>(zeroRows: rows, columns: columns), 0)
            state.matrices[key] = known
            return known
        }
        guard let matrix = known as? Matrix<Element> else { return nil }
        var kept: [[Element]] = []
        defer {
            // What a block has written stays as it is: by that it is known again.
            for (block, values) in zip(done..., kept) { precondition(values == Self.elements(matrix, places(block)), "block \(block) of \(name)") }
        }
        for block in done..<blocks {
            try compute(block, matrix)
            kept.append(Self.elements(matrix, places(block)))
            precondition(!kept[block - done].isEmpty, "block \(block) of \(name)")
            try state.withLock { state in
                guard state.allowed > 0 else { throw Stop() }
                state.allowed -= 1
                state.matrices[key]?.done = block + 1
                state.computed.append(name)
            }
        }
        return matrix
    }

    private static func elements<Element: Scalar>(_ matrix: Matrix<Element>, _ places: [Tile]) -> [Element] {
        places.flatMap { tile in tile.rows.flatMap { row in tile.columns.map { matrix[row, $0] } } }
    }

    package func giveBack() {}

    /// Breaks a computation off after every `stop` blocks until it comes to its end.
    /// - Returns: what it returned, and how often it was broken off.
    package func complete<Result>(stop: Int, _ compute: (any TileExecutor) throws -> Result) throws -> (result: Result, stops: Int) {
        let tiles = KeepingTiles(SerialTiles(), keeper: self)
        for stops in 0..<10_000 {
            allow(stop)
            do {
                return (try compute(tiles), stops)
            } catch is Stop {}
        }
        throw Stop()
    }
}
