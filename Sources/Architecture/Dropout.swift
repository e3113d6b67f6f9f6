package import Activations

/// Keeps an element with a probability and divides by it; the identity in a network that is evaluated.
public struct Dropout: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        case train, test
    }

    public var keepProbability: Double
    public var mode: Mode

    public init(keepProbability: Double, mode: Mode = .train) {
        self.keepProbability = keepProbability
        self.mode = mode
    }
}

/// Independent zeros: what two points have in common stays, the variance of a point with itself grows by 1 / keep.
extension Dropout: LayerRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        try check(at: path)
        if input == 0 { throw ArchitectureError(path: path, detail: "dropout of the input has no kernel: put it after a layer") }
        guard mode == .train else { return input }
        var value = compiler.program.values[input]
        value.isGaussian = false
        return try compiler.append(.dropout(keep: keepProbability), [input], value, at: path)
    }

    /// A network that is evaluated drops nothing.
    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try check(at: place.pointer)
        return input
    }

    private func check(at path: String) throws(ArchitectureError) {
        guard keepProbability > 0, keepProbability <= 1 else {
            throw ArchitectureError(path: path + "/keep_probability", detail: "above 0 and at most 1 expected; \(keepProbability) came")
        }
    }
}
