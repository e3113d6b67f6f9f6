import Architecture
import LinearAlgebra

/// The tangent kernel between two blocks of points: derivatives go back through both networks in step, and each layer adds its share when
/// they reach it.
struct KernelPass<Element: Scalar>: Sendable {
    /// Outputs of a trace that are differentiated at the same time.
    static var outputsAtOnce: Int { 64 }
    /// What the weight gradients of a layer that exist at one time may take.
    static var gradientBytes: Int { 256 << 20 }

    let kernel: EmpiricalKernel
    let form: OutputSelection.Form
    let outputs: [Int]
    let isSymmetric: Bool
    /// The kernel, unless there are shares.
    let total: KernelTiles<Element>
    /// One for each parameter in `groups`.
    let shares: [KernelTiles<Element>]
    let groups: [Int]
    private let points: (rows: Int, columns: Int)

    init(
        kernel: EmpiricalKernel, form: OutputSelection.Form, outputs: [Int], rows: Int, columns: Int, isSymmetric: Bool, groups: [Int],
        elementType: Element.Type
    ) {
        self.kernel = kernel
        self.form = form
        self.outputs = outputs
        self.isSymmetric = isSymmetric
        self.groups = groups
        points = (rows, columns)
        func tiles() -> KernelTiles<Element> {
            KernelTiles(rows: rows, columns: columns, isSymmetric: isSymmetric, form: form, outputs: outputs.count)
        }
        total = tiles()
        shares = groups.map { _ in tiles() }
    }

    /// - Parameter second: nil: the kernel among the points of `first`.
    func run(_ first: ForwardPass<Element>, _ second: ForwardPass<Element>?, on executor: any TileExecutor) throws {
        let chunk = form == .trace ? Self.outputsAtOnce : max(outputs.count, 1)
        for start in stride(from: 0, to: outputs.count, by: chunk) {
            let outputs = Array(outputs[start..<min(start + chunk, outputs.count)])
            let unit = BackwardPass<Element>.unitVectors(first.program, outputs: outputs)
            var left = BackwardPass(first, outputs: outputs.count, start: unit, included: kernel.included)
            var right = second.map { BackwardPass($0, outputs: outputs.count, start: unit, included: kernel.included) }
            for index in first.program.instructions.indices.reversed() {
                if let own = left.cotangent(of: index) {
                    try contract(index, own, right?.cotangent(of: index) ?? own, left, right, on: executor)
                }
                try left.propagate(index, on: executor)
                try right?.propagate(index, on: executor)
            }
        }
    }

    /// Where the share of a parameter goes; nil if it does not count.
    private func target(_ parameter: Int?) -> KernelTiles<Element>? {
        guard let parameter, kernel.included.contains(parameter) else { return nil }
        return groups.firstIndex(of: parameter).map { shares[$0] } ?? total
    }

    private func contract(
        _ index: Int, _ own: Cotangent<Element>, _ other: Cotangent<Element>, _ left: BackwardPass<Element>, _ right: BackwardPass<Element>?,
        on executor: any TileExecutor
    ) throws {
        let program = left.forward.program
        let instruction = program.instructions[index]
        let outputs = left.outputs
        let second = right?.forward ?? left.forward
        switch instruction.operation {
        case .linear(let step):
            let (weight, bias) = (target(step.weight), target(step.bias))
            guard weight != nil || bias != nil else { return }
            let contraction = LinearContraction(
                step: step,
                first: .init(input: left.forward.values[instruction.inputs[0]], cotangent: own, count: points.rows),
                second: .init(input: second.values[instruction.inputs[0]], cotangent: other, count: points.columns), outputs: outputs,
                weight: weight, bias: bias, isJoint: groups.isEmpty && weight != nil && bias != nil)
            try contraction.add(plan(step).algorithm, gradientBytes: Self.gradientBytes, on: executor)
        case .scale(let weight, let bias, let places):
            let width = weight.map { program.parameters[$0].count } ?? bias.map { program.parameters[$0].count } ?? 0
            let input = instruction.inputs[0]
            for (tiles, isWeight) in [(target(weight), true), (target(bias), false)] {
                guard let tiles else { continue }
                let a = try gathered(left.forward, own, outputs, isWeight ? input : nil, places, width, on: executor)
                let b = right == nil ? a : try gathered(second, other, outputs, isWeight ? input : nil, places, width, on: executor)
                try tiles.addGram(a, b, outputs: outputs, width: width, alpha: 1, on: executor)
            }
        case .embedding(let parameter, let factor):
            guard let tiles = target(parameter) else { return }
            let width = program.values[index + 1].size
            let places = (0..<Int32(width)).map { $0 }
            let a = try gathered(left.forward, own, outputs, nil, places, width, on: executor)
            let b = right == nil ? a : try gathered(second, other, outputs, nil, places, width, on: executor)
            try tiles.addGram(a, b, outputs: outputs, width: width, alpha: Element(factor * factor), on: executor)
        default: return
        }
    }

    private func plan(_ step: LayerProgram.LinearStep) -> ContractionPlan {
        kernel.plan(step, rows: points.rows, columns: isSymmetric ? nil : points.columns, outputs: outputs.count, form: form, as: Element.self)
    }

    /// Gradients of parameters that stand beside elements: Σ δ x (or Σ δ) over the elements of each, [points, outputs, width].
    private func gathered(
        _ forward: ForwardPass<Element>, _ cotangent: Cotangent<Element>, _ outputs: Int, _ input: Int?, _ places: [Int32], _ width: Int,
        on executor: any TileExecutor
    ) throws -> Storage<Element> {
        let result = Storage<Element>(zeros: forward.count * outputs * width)
        try executor.forEach(forward.count) { point in
            let values = unsafe input.map { unsafe forward.pointer($0, point) }
            for output in 0..<outputs {
                let source = unsafe cotangent.storage.base + ((cotangent.isShared ? 0 : point * outputs) + output) * places.count
                let target = unsafe result.base + (point * outputs + output) * width
                for (element, place) in places.enumerated() { unsafe target[Int(place)] += source[element] * (values?[element] ?? 1) }
            }
        }
        return result
    }
}
