package import Activations
import LinearAlgebra

extension Layer {
    /// Layers that a walk over the architecture meets, repetitions counted: known without the walk, which may be as good as endless.
    package var visits: Int {
        switch self {
        case .serial(let layers), .parallel(let layers), .residual(let layers): layers.lazy.map(\.visits).clampedSum.addingClamped(1)
        case .repeated(let layer, let count): layer.visits.multipliedClamped(by: Swift.max(count, 0)).addingClamped(1)
        case .mlp(let depth, _, _, _): Swift.max(depth, 0).multipliedClamped(by: 2).addingClamped(2)
        default: 1
        }
    }

    /// Layers that may be visited, those too that leave no instruction: beyond any network, and a moment's work.
    package static var maximumVisits: Int { 1_000_000 }

    /// The path of the layer that is met the most often.
    private func mostVisited(at path: String) -> String {
        let parts: [(String, Layer)] =
            switch self {
            case .serial(let layers), .residual(let layers): layers.enumerated().map { ("/layers/\($0)", $1) }
            case .parallel(let layers): layers.enumerated().map { ("/branches/\($0)", $1) }
            case .repeated(let layer, _): [("/layer", layer)]
            default: []
            }
        guard let (name, part) = parts.max(by: { $0.1.visits < $1.1.visits }) else { return path }
        return part.mostVisited(at: path + name)
    }

    /// - Throws: `ArchitectureError` where a walk over the architecture would meet too many layers.
    package func checkVisits(at path: String = "") throws(ArchitectureError) {
        let visits = visits
        guard visits > Self.maximumVisits else { return }
        throw ArchitectureError(
            path: mostVisited(at: path), detail: "at most \(Self.maximumVisits) layers expected, repetitions counted; here are \(visits)")
    }
}
