internal import Glibc
public import LinearAlgebra

/// (K + λI) α = y by preconditioned conjugate gradients (Hestenes & Stiefel 1952), all columns of y at a time, each with its own steps.
public struct ConjugateGradient: Sendable {
    public let solution: Matrix<Double>
    public let iterations: Int
    /// max over columns of ‖y − (K + λI)α‖₂ / ‖y‖₂.
    public let residual: Double

    /// Iterations between two states that are kept, at the least.
    private static let leastKept = 32
    /// Iterations without a better residual after which it ends.
    private static let mostStalled = 50

    /// - Parameters:
    ///   - multiply: (K + λI) V.
    ///   - precondition: an approximate inverse, symmetric and positive definite.
    ///   - tolerance: the residual at which it ends.
    ///   - keeper: where the iteration's state is kept now and then.
    public init(
        _ right: Matrix<Double>, tolerance: Double, mostIterations: Int, keeper: (any BlockKeeper)? = nil,
        precondition: (Matrix<Double>) throws -> Matrix<Double>, multiply: (Matrix<Double>) throws -> Matrix<Double>
    ) throws {
        let norms = Self.dots(right, right).map { $0.squareRoot() }
        func ratio(_ rest: Matrix<Double>) -> Double {
            zip(Self.dots(rest, rest), norms).reduce(0) { max($0, $1.1 > 0 ? $1.0.squareRoot() / $1.1 : 0) }
        }
        func start() throws -> State {
            let z = try precondition(right)
            let reached = ratio(right)
            return State(
                solution: Matrix(zeroRows: right.rows, columns: right.columns), rest: right.copy(), direction: z.copy(), product: Self.dots(right, z),
                iterations: 0, stalled: 0, reached: reached, best: reached)
        }
        func isDone(_ state: State) -> Bool {
            state.reached <= tolerance || state.iterations >= mostIterations || state.stalled >= Self.mostStalled
        }
        func advance(_ state: inout State) throws {
            let image = try multiply(state.direction)
            let steps = zip(state.product, Self.dots(state.direction, image)).map { $0.1 > 0 ? $0.0 / $0.1 : 0 }
            state.solution.add(state.direction, scaled: steps)
            state.rest.add(image, scaled: steps.map { -$0 })
            let z = try precondition(state.rest)
            let next = Self.dots(state.rest, z)
            state.direction.scaleColumns(zip(next, state.product).map { $0.1 > 0 ? $0.0 / $0.1 : 0 })
            state.direction.add(z, scaled: [Double](repeating: 1, count: z.columns))
            state.product = next
            state.iterations += 1
            state.reached = ratio(state.rest)
            state.stalled = state.reached < state.best ? 0 : state.stalled + 1
            state.best = min(state.best, state.reached)
        }

        var state: State?
        if let keeper {
            // The kernel's product is all but everything.
            let operations = 2 * Double(right.rows) * Double(right.rows) * Double(right.columns)
            let kept = max(Self.leastKept, Int(min(keeper.blockOperations / operations, 1e9)))
            let blocks = (mostIterations + kept - 1) / kept
            if blocks > 1 {
                let places = { @Sendable (block: Int) in [Tile(row: block, columns: State.count(right))] }
                let states = try keeper.matrix(
                    "conjugate-gradient", plan: "to \(tolerance), \(mostIterations) iterations, \(kept) in a block", inputs: [right], rows: blocks,
                    columns: State.count(right), blocks: blocks, as: Double.self, places: places
                ) { block, states in
                    var own = try state ?? (block == 0 ? start() : State(states, row: block - 1, right))
                    if block > 0, isDone(own) {
                        State.storeNothingNew(states, row: block)
                    } else {
                        while !isDone(own), own.iterations < (block + 1) * kept { try advance(&own) }
                        own.store(states, row: block)
                    }
                    state = own
                }
                if state == nil { state = states.map { State($0, row: blocks - 1, right) } }
            }
        }
        var own = try state ?? start()
        while !isDone(own) { try advance(&own) }
        solution = own.solution
        iterations = own.iterations
        residual = own.reached
    }

    /// Σ_i A_ij B_ij for each column j.
    static func dots(_ left: Matrix<Double>, _ right: Matrix<Double>) -> [Double] {
        let k = left.columns
        var sums = [Double](repeating: 0, count: k)
        left.withElements { a in
            right.withElements { b in
                for row in 0..<left.rows { for column in 0..<k { sums[column] += a[row * k + column] * b[row * k + column] } }
            }
        }
        return sums
    }
}

/// Where an iteration has come to: all that the next one needs.
private struct State {
    var solution, rest, direction: Matrix<Double>
    var product: [Double]
    var iterations, stalled: Int
    var reached, best: Double
}

/// As a row of numbers, of which the last says in which row the state stands.
extension State {
    static func count(_ right: Matrix<Double>) -> Int { 3 * right.rows * right.columns + right.columns + 5 }

    init(_ states: Matrix<Double>, row: Int, _ right: Matrix<Double>) {
        let (n, k, row) = (right.rows, right.columns, Int(states[row, states.columns - 1]))
        let matrices = (0..<3).map { index in
            let matrix = Matrix<Double>(uninitializedRows: n, columns: k)
            unsafe matrix.base.update(from: states.base + row * states.columns + index * n * k, count: n * k)
            return matrix
        }
        let rest = (3 * n * k..<states.columns).map { states[row, $0] }
        self.init(
            solution: matrices[0], rest: matrices[1], direction: matrices[2], product: Array(rest[..<k]), iterations: Int(rest[k]),
            stalled: Int(rest[k + 1]), reached: rest[k + 2], best: rest[k + 3])
    }

    func store(_ states: Matrix<Double>, row: Int) {
        let count = solution.rows * solution.columns
        let target = unsafe states.base + row * states.columns
        for (index, matrix) in [solution, rest, direction].enumerated() { unsafe (target + index * count).update(from: matrix.base, count: count) }
        for (index, value) in (product + [Double(iterations), Double(stalled), reached, best, Double(row)]).enumerated() {
            unsafe target[3 * count + index] = value
        }
    }

    /// The state is that of the row before.
    static func storeNothingNew(_ states: Matrix<Double>, row: Int) {
        let last = states.columns - 1
        unsafe states.base[row * states.columns + last] = states[row - 1, last]
    }
}
