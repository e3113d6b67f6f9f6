import Architecture
import LinearAlgebra

/// How a layer's share of the kernel is formed.
public enum ContractionAlgorithm: String, Sendable, CaseIterable {
    /// Gram matrix of the inputs times Gram matrix of the derivatives, element by element: no weight gradient is ever formed.
    case structured
    /// Gram matrix of the weight gradients of each point and output, some rows of the weights at a time.
    case gradients
}

/// Costs of one layer's share by both algorithms, and the cheaper one.
///
/// With N points, O outputs, D positions, patches of p numbers and C channels, a symmetric kernel counting half its pairs:
///
/// | | structured | gradients |
/// |---|---|---|
/// | trace, diagonal | pairs · 2D²(p + OC) | N·O · 2DpC + pairs · 2O·pC |
/// | full | pairs · 2D²(p + O²C) | N·O · 2DpC + pairs · 2O²·pC |
///
/// with D² → D where positions do not meet (one position, or weights of its own at each). (Novak, Sohl-Dickstein, Schoenholz 2022,
/// arXiv 2206.08720, table 1.)
struct ContractionPlan: Sendable {
    var algorithm: ContractionAlgorithm
    var operations: Int
    var bytes: Int

    /// What a byte of traffic costs in floating-point operations: some 100 Gflop/s against some 20 GB/s a core.
    private static let operationsPerByte = 5.0

    init(
        _ step: LayerProgram.LinearStep, algorithm: ContractionAlgorithm?, points: Int, pairs: Int, outputs: Int, form: OutputSelection.Form,
        elementBytes: Int
    ) {
        let positions = Double(step.outputPositions)
        let meeting = step.isAligned ? positions : positions * positions
        let (patch, channels, outputs) = (Double(step.patch), Double(step.outputChannels), Double(outputs))
        let (pairs, points, bytes) = (Double(pairs), Double(points), Double(elementBytes))
        let blocks = form == .full ? outputs * outputs : outputs
        let entries = form == .trace ? 1 : blocks
        let structured = Cost(
            operations: pairs * 2 * meeting * (patch + blocks * channels),
            bytes: pairs * meeting * (1 + 2 * entries) * bytes)
        let gradients = Cost(
            operations: points * outputs * 2 * positions * patch * channels + pairs * 2 * blocks * patch * channels,
            bytes: points * outputs * (2 * patch * channels + positions * (patch + channels)) * bytes)
        let cheaper: ContractionAlgorithm = structured.total <= gradients.total ? .structured : .gradients
        let isStructured = step.isLocal || (algorithm ?? cheaper) == .structured
        self.algorithm = isStructured ? .structured : .gradients
        let cost = isStructured ? structured : gradients
        operations = Int(clamping: Int64(min(cost.operations, 0x1p62)))
        self.bytes = Int(clamping: Int64(min(cost.bytes, 0x1p62)))
    }

    /// The share's work.
    func work(isFloat32: Bool) -> Work {
        Work(.products, Double(operations) * (isFloat32 ? 0.5 : 1)) + Work(.memory, Double(bytes)) + Work(.calls, 10)
    }

    private struct Cost {
        var operations, bytes: Double
        var total: Double { operations + operationsPerByte * bytes }
    }
}
