internal import LinearAlgebra

/// What a way back begins with: of each point one row for each chosen output, or one for its functional.
struct KernelSeeds<F: NetworkScalar>: Sendable {
    /// Rows of each point.
    let count: Int
    private let outputs: [Int]
    private let outputCount: Int
    private let functional: LabelFunctional?
    private let labels: ([Int], [Int])

    init(_ program: NetworkProgram<F>, _ question: KernelQuestion, counts: (Int, Int)) throws(GraphError) {
        outputCount = program.outputCount
        outputs = question.chosenOutputs ?? Array(0..<outputCount)
        for output in outputs where output < 0 || output >= outputCount {
            throw GraphError(.points, "output \(output) of a network with \(outputCount)")
        }
        guard let functional = question.functional else {
            (count, self.functional, labels) = (outputs.count, nil, ([], []))
            return
        }
        for (labels, points) in [(functional.labels1, counts.0), (functional.labels2, counts.1)] {
            guard labels.count == points else { throw GraphError(.points, "\(labels.count) labels for \(points) points") }
            for label in labels where !outputs.indices.contains(label) { throw GraphError(.points, "label \(label) of \(outputs.count) classes") }
        }
        (count, self.functional, labels) = (1, functional.kind, (functional.labels1, functional.labels2))
    }

    /// Entries of a pair of points.
    func entries(_ question: KernelQuestion) -> Int { shape(question).clampedProduct }

    func shape(_ question: KernelQuestion) -> [Int] {
        if functional != nil { return [] }
        return switch question.outputs {
        case .full: [count, count]
        case .diagonal: [count]
        case .sum, .mean: []
        }
    }

    /// Seeds [rows, outputs] of a block of points with the given outputs.
    func buffer(_ values: Cells<F>, _ range: Range<Int>, isLeft: Bool) throws(GraphError) -> Buffer {
        let size = range.count * count * outputCount
        let buffer = Buffer(F.self, count: size)
        let cells = buffer.cells(F.self, size)
        cells.fill(0)
        guard let functional else {
            for sample in 0..<range.count {
                for (row, output) in outputs.enumerated() { cells[(sample * count + row) * outputCount + output] = 1 }
            }
            return buffer
        }
        for (sample, point) in range.enumerated() {
            let label = isLeft ? labels.0[point] : labels.1[point]
            functional.addDerivative(
                values.from(sample * outputCount, outputCount), label: label, outputs, to: cells.from(sample * outputCount, outputCount))
        }
        return buffer
    }
}

extension LabelFunctional {
    /// Adds the derivative by the logits, those of the classes at `outputs`, to a row of zeros.
    func addDerivative<F: NetworkScalar>(_ logits: Cells<F>, label: Int, _ outputs: [Int], to seed: Cells<F>) {
        seed[outputs[label]] = 1
        if self == .labelLogit { return }
        // −∂/∂z of log Σ e^z over all classes, or over all but the label's.
        let others = self == .logOdds ? outputs.enumerated().filter { $0.offset != label }.map(\.element) : outputs
        let largest = others.map { logits[$0] }.max() ?? 0
        let sum = others.reduce(F.zero) { $0 + F.exp(logits[$1] - largest) }
        for output in others { seed[output] -= F.exp(logits[output] - largest) / sum }
    }

    /// The derivative by all logits of one point.
    public func derivative(_ logits: [Double], label: Int) -> [Double] {
        let buffer = Buffer(Double.self, count: 2 * logits.count)
        defer { withExtendedLifetime(buffer) {} }
        let cells = buffer.cells(Double.self, 2 * logits.count)
        for (index, logit) in logits.enumerated() {
            cells[index] = logit
            cells[logits.count + index] = 0
        }
        addDerivative(cells.from(0, logits.count), label: label, Array(logits.indices), to: cells.from(logits.count))
        return cells.from(logits.count).elements
    }
}
