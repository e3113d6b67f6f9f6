internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// The tangent kernel of a network of either form at its weights, for what needs more of it than regression does: norms of the weights,
/// kernels of points with themselves, and kernels of one number a point.
protocol TangentKernelSource: TrainingKernel {
    /// ‖θ‖² of the weights that take part.
    func squaredNorm(on tiles: any TileExecutor) throws -> Double
    /// The kernel of some of the test points, or of the training points where that is nil, with others [r · k, c · k].
    func kernel(_ test: (any TestKernel)?, _ rows: [Int], _ other: KernelSide, on tiles: any TileExecutor) throws -> Matrix<Double>
    /// Of each pair of training points the trace over outputs, summed or averaged [n, n].
    func traceKernel(isMean: Bool, on tiles: any TileExecutor) throws -> Matrix<Double>
}

/// The other points of a kernel's rows.
enum KernelSide: Sendable {
    /// All training points, or some of them.
    case training
    case some([Int])
    case themselves
}

extension TangentKernelSource {
    private var classes: Int { outputs ?? 1 }

    /// Points of a block whose kernel with all others is there at a time.
    private var blockPoints: Int { max(1, min(count, (128 << 20) / max(1, 8 * order.multipliedClamped(by: classes)))) }
    /// Bytes of it.
    var blockBytes: Int { blockPoints.multipliedClamped(by: classes).multipliedClamped(by: order).multipliedClamped(by: 8) }

    /// Θ(x, x) of each test point, or of each training point where that is nil, with itself [t, k · k].
    func priorBlocks(_ test: (any TestKernel)?, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let (k, points) = (classes, test?.count ?? count)
        let result = Matrix<Double>(uninitializedRows: points, columns: k * k)
        for start in stride(from: 0, to: points, by: 8) {
            let rows = start..<min(start + 8, points)
            let kernel = try kernel(test, Array(rows), .themselves, on: tiles)
            for row in rows {
                let first = (row - start) * k
                for a in 0..<k { for b in 0..<k { result.storage.set((row * k + a) * k + b, kernel[first + a, first + b]) } }
            }
        }
        return result
    }

    /// Σ_ab g_ia Θ_ij,ab h_jb [n, n] for numbers of each training point with derivatives g = h [n, k] by its outputs.
    func scalarKernel(_ derivatives: Matrix<Double>, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let result = try scalarRows(count, derivatives, derivatives, on: tiles) { try kernel(nil, $0, .training, on: tiles) }
        result.mirrorUpperHalf()
        return result
    }

    /// The same for test points [t, n].
    func scalarKernel(
        _ test: any TestKernel, _ testDerivatives: Matrix<Double>, _ derivatives: Matrix<Double>, on tiles: any TileExecutor
    ) throws -> Matrix<Double> {
        try scalarRows(test.count, testDerivatives, derivatives, on: tiles) { try kernel(test, $0, .training, on: tiles) }
    }

    private func scalarRows(
        _ rows: Int, _ left: Matrix<Double>, _ right: Matrix<Double>, on tiles: any TileExecutor, _ kernel: ([Int]) throws -> Matrix<Double>
    ) throws -> Matrix<Double> {
        let (k, n) = (classes, count)
        let result = Matrix<Double>(zeroRows: rows, columns: n)
        for start in stride(from: 0, to: rows, by: blockPoints) {
            let block = start..<min(start + blockPoints, rows)
            let full = try kernel(Array(block))
            try tiles.forEach(block.count) { index in
                let row = block.lowerBound + index
                for output in 0..<k {
                    let weight = left[row, output]
                    let values = unsafe full.base + (index * k + output) * full.columns
                    for column in 0..<n {
                        var sum = 0.0
                        for other in 0..<k { unsafe sum += values[column * k + other] * right.base[column * k + other] }
                        unsafe result.base[row * n + column] += weight * sum
                    }
                }
            }
        }
        return result
    }
}

extension NetworkTrainingSet: TangentKernelSource {
    func squaredNorm(on tiles: any TileExecutor) throws -> Double {
        let values = try source.values(network, on: tiles).values
        let places = included ?? Set(network.parameters.indices.filter { network.parameters[$0].isTrainable })
        return places.sorted().reduce(0) { $0 + Matrix(rows: 1, columns: values[$1].count, storage: values[$1]).sumOfSquares }
    }

    func kernel(_ test: (any TestKernel)?, _ rows: [Int], _ other: KernelSide, on tiles: any TileExecutor) throws -> Matrix<Double> {
        let points: (x: Matrix<Double>, pattern: Matrix<Double>?)
        if let test {
            guard let test = test as? NetworkTestSet else { preconditionFailure("test points of this network") }
            points = (test.x.rows(rows), test.pattern?.rows(rows))
        } else {
            points = (x.values.rows(rows), pattern?.rows(rows))
        }
        switch other {
        case .training: return try kernel(points.x, x.values, points.pattern, pattern, on: tiles)
        case .some(let others): return try kernel(points.x, x.values.rows(others), points.pattern, pattern?.rows(others), on: tiles)
        case .themselves: return try kernel(points.x, nil, points.pattern, nil, on: tiles)
        }
    }

    func traceKernel(isMean: Bool, on tiles: any TileExecutor) throws -> Matrix<Double> {
        try checked {
            try EmpiricalKernel(network, source.values(network, on: tiles), included: included).ntk(
                x.values, nil, patterns: pattern.map { ($0, nil) }, outputs: isMean ? .mean : .sum, as: Double.self, on: tiles
            ).kernel
        }
    }
}

extension ModelTrainingSet: TangentKernelSource {
    func squaredNorm(on tiles: any TileExecutor) throws -> Double { compiled.program.sumOfSquares(of: parameters) }

    func kernel(_ test: (any TestKernel)?, _ rows: [Int], _ other: KernelSide, on tiles: any TileExecutor) throws -> Matrix<Double> {
        var points = x
        if let test {
            guard let test = test as? ModelTestSet else { preconditionFailure("test points of this network") }
            points = test.x
        }
        switch other {
        case .training: return try kernel(points.rows(rows), x, on: tiles)
        case .some(let others): return try kernel(points.rows(rows), x.rows(others), on: tiles)
        case .themselves: return try kernel(points.rows(rows), nil, on: tiles)
        }
    }

    func traceKernel(isMean: Bool, on tiles: any TileExecutor) throws -> Matrix<Double> {
        var question = KernelQuestion()
        question.parameters = parameters
        question.outputs = isMean ? .mean : .sum
        let result = try compiled.checked(points: x.field) {
            try compiled.program.tangentKernel(x.inputs, nil, question, ModelPasses.context(tiles))
        }
        let kernel = Matrix<Double>(rows: count, columns: count, storage: result.shares[0].numbers)
        guard kernel.hasNumbersOnly else { throw compiled.overflow }
        return kernel
    }
}

extension ObjectReader {
    /// A network with its training points, and which of its parameters take part, from fields beside one another.
    mutating func tangentKernel(
        _ network: NetworkReference, points: String, pattern: String
    ) throws(ProblemDetails) -> any TangentKernelSource {
        switch network {
        case .architecture(let source): try NetworkTrainingSet(choosing: source, &self, points: points, pattern: pattern)
        case .file(let file): try ModelTrainingSet(file, &self, points: points)
        }
    }

    /// Classes as the network's outputs are numbered, one a point.
    mutating func outputLabels(_ field: String, points: Int, outputs: Int) throws(ProblemDetails) -> [Int]? {
        guard let array = try optionalArray(field) else { return nil }
        let pointer = pointer(to: field)
        guard array.shape == [points], !array.hasNulls else {
            throw .invalid(pointer, "a list of \(points) labels expected, one a point; shape \(array.shape) came")
        }
        guard outputs > 1 else { throw .invalid(pointer, "a network of two or more outputs expected with labels, one a class; it has \(outputs)") }
        var labels: [Int] = []
        for (index, number) in array.elements.enumerated() {
            guard let label = Int(exactly: number), label >= 0, label < outputs else {
                throw .invalid("\(pointer)/\(index)", "a label from 0 to \(outputs - 1) expected, the place of an output; \(number) came")
            }
            labels.append(label)
        }
        return labels
    }
}
