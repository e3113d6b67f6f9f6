internal import LinearAlgebra
internal import NTK

/// The training of a finite network, and what is known of the network at the steps that are recorded.
struct RecordedTraining {
    struct Record {
        var train: Matrix<Double>
        var test: Matrix<Double>?
        /// ‖Θ̂(step) − Θ̂(0)‖ / ‖Θ̂(0)‖.
        var drift: Double
        var distance: (absolute: Double, relative: Double)
    }

    private let request: TrainingRequest
    private let tiles: any TileExecutor
    /// The tangent kernel before the first step, and its norm.
    private let start: Matrix<Double>
    private let norm: Double
    private var run: any TrainingRun
    /// Of the records the next one.
    private var next = 0

    static func records(
        _ request: TrainingRequest, rate: Double, on tiles: any TileExecutor
    ) throws -> [Record] {
        var training = try RecordedTraining(request, rate: rate, on: tiles)
        if let records = try training.keptRecords() { return records }
        var records: [Record] = []
        try training.advance(to: request.steps.last ?? 0) { records.append($1) }
        return records
    }

    private init(_ request: TrainingRequest, rate: Double, on tiles: any TileExecutor) throws {
        self.request = request
        self.tiles = tiles
        run = try request.subject.begin(learningRate: rate, momentum: request.momentum, targets: request.targets.matrix, on: tiles)
        start = try run.kernel(on: tiles)
        norm = start.sumOfSquares.squareRoot()
    }

    /// Makes the steps up to one, and the records up to it.
    private mutating func advance(to end: Int, _ use: (_ index: Int, Record) -> Void) throws {
        do {
            while next < request.steps.count, request.steps[next] <= end {
                try makeSteps(upTo: request.steps[next])
                use(next, try record())
                next += 1
            }
            try makeSteps(upTo: end)
        } catch NetworkError.overflow where run.step > 0 {
            throw ProblemDetails.invalid(
                "/learning_rate",
                "a learning rate with which the training converges expected; with \(run.learningRate) it left the range of float64 by step "
                    + "\(run.step)")
        }
    }

    private mutating func makeSteps(upTo step: Int) throws {
        while run.step < step { try run.advance(on: tiles) }
    }

    private func record() throws -> Record {
        let moved = try run.kernel(on: tiles).subtracting(start).sumOfSquares.squareRoot()
        return Record(
            train: try run.trainOutputs(on: tiles), test: try run.testOutputs(on: tiles), drift: norm > 0 ? moved / norm : 0,
            distance: run.distance)
    }

    // MARK: Kept

    /// The same from a training whose state is kept now and then, with the records so far: all of them in one row. Nil where nothing is kept.
    private mutating func keptRecords() throws -> [Record]? {
        guard let keeper = tiles.keeper else { return nil }
        let states = run.state.map(\.count) + (request.momentum == 0 ? [] : run.state.map(\.count))
        let state = states.reduce(0, +)
        let ends = request.legs(stateBytes: 8 * state, blockOperations: keeper.blockOperations)
        guard ends.count > 1 else { return nil }
        let (train, test) = (request.training.order, (request.test?.count ?? 0) * (request.training.outputs ?? 1))
        let record = train + test + 3
        let request = request
        let place = { @Sendable (index: Int) in ends.count * state + index * record }
        let places = { @Sendable (leg: Int) in
            // The state at its end, and the records of its steps.
            let steps = request.steps.indices.filter { request.steps[$0] <= ends[leg] && (leg == 0 || request.steps[$0] > ends[leg - 1]) }
            return [Tile(rows: 0..<1, columns: leg * state..<(leg + 1) * state)]
                + steps.map { Tile(rows: 0..<1, columns: place($0)..<place($0 + 1)) }
        }
        let kept = try keeper.matrix(
            "training", plan: "to \(ends)", inputs: [Matrix(rows: 1, columns: 1, [run.learningRate])], rows: 1,
            columns: ends.count * state + request.steps.count * record, blocks: ends.count, as: Double.self, places: places
        ) { leg, row in
            if leg > 0 { next = request.steps.firstIndex { $0 > ends[leg - 1] } ?? request.steps.count }
            if leg > 0, run.step < ends[leg - 1] {
                var start = (leg - 1) * state
                let values = states.map { count in
                    defer { start += count }
                    return row.piece(start, rows: 1, columns: count).storage
                }
                try run.resume(at: ends[leg - 1], from: values)
            }
            try advance(to: ends[leg]) { index, own in
                let numbers = own.train.elements + (own.test?.elements ?? []) + [own.drift, own.distance.absolute, own.distance.relative]
                for (offset, number) in numbers.enumerated() { row.storage.set(place(index) + offset, number) }
            }
            var start = leg * state
            for values in run.state {
                for index in 0..<values.count { row.storage.set(start + index, unsafe values.base[index]) }
                start += values.count
            }
        }
        guard let kept else { return nil }
        return request.steps.indices.map { index in
            let (first, outputs) = (place(index), request.training.outputs ?? 1)
            let last = (0..<3).map { kept[0, first + train + test + $0] }
            return Record(
                train: kept.piece(first, rows: train / outputs, columns: outputs),
                test: request.test.map { kept.piece(first + train, rows: $0.count, columns: outputs) }, drift: last[0], distance: (last[1], last[2]))
        }
    }
}

extension Matrix where Element == Double {
    /// A copy of some elements of the first row as a matrix.
    fileprivate func piece(_ start: Int, rows: Int, columns: Int) -> Matrix {
        let result = Matrix(uninitializedRows: rows, columns: columns)
        for index in 0..<rows * columns { result.storage.set(index, self[0, start + index]) }
        return result
    }
}

extension TrainingRequest {
    /// Legs of a training, at whose ends its state is kept.
    private static let mostLegs = 64
    private static let stateBytes = 1 << 30

    /// The steps at which the legs end, the last of all the last: they take about the same time, and their states together not much room.
    func legs(stateBytes: Int, blockOperations: Double) -> [Int] {
        let (step, record) = (max(stepWork.equivalentOperations, 1), recordWork.equivalentOperations)
        let last = steps.last ?? 0
        let legs = max(1, min(Self.mostLegs, Self.stateBytes / max(1, stateBytes)))
        let most = max((Double(last) * step + Double(steps.count) * record) / Double(legs), blockOperations)
        var ends: [Int] = []
        var (place, operations) = (0, 0.0)
        for next in steps {
            while operations + Double(next - place) * step > most {
                place += min(max(1, Int(min((most - operations) / step, 1e9))), next - place)
                ends.append(place)
                operations = 0
                if place == next { break }
            }
            operations += Double(next - place) * step + record
            place = next
            if operations > most {
                if ends.last != next { ends.append(next) }
                operations = 0
            }
        }
        if ends.last != last { ends.append(last) }
        return ends
    }
}
