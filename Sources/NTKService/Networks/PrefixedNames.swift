internal import NTK
internal import TensorFormats

/// Names of parameters as models have them that PyTorch wrapped: `module.` (DataParallel), `_orig_mod.` (torch.compile), `model.` (Lightning), or
/// a model that is an attribute of another. Without the prefix they may be those of the architecture.
struct PrefixedNames {
    private static let known = ["module.", "model.", "_orig_mod.", "net.", "network."]

    /// The architecture's names by those that came.
    private let names: [String: String]
    /// The architecture's shapes by its names.
    private let shapes: [String: [Int]]

    /// Nil unless names without a prefix are those of the architecture.
    /// - Parameter compile: the network with parameters of these names and shapes.
    init?(_ given: [String: [Int]], _ compile: ([String: [Int]]) throws(NetworkError) -> FiniteNetwork) {
        for rename in Self.renamings(Array(given.keys)) {
            let names = Dictionary(given.keys.map { ($0, rename($0)) }) { first, _ in first }
            guard names.contains(where: { $0.key != $0.value }), Set(names.values).count == names.count else { continue }
            do {
                let network = try compile(Dictionary(given.map { (names[$0.key] ?? $0.key, $0.value) }) { first, _ in first })
                shapes = Dictionary(network.parameters.map { ($0.name, $0.shape) }) { first, _ in first }
            } catch {
                // Also where only shapes are wrong the names are right.
                guard case .parameters(let faults) = error else { continue }
                var expected: [String: [Int]] = [:]
                for case let fault in faults { if case .shape(let shape, _) = fault.kind { expected[fault.name] = shape } }
                guard expected.count == faults.count else { continue }
                shapes = expected
            }
            self.names = names
            return
        }
        return nil
    }

    /// What may be taken away from names: all known prefixes of each, and as much of what all of them begin with.
    private static func renamings(_ names: [String]) -> [(String) -> String] {
        func withoutKnown(_ name: String) -> String {
            var rest = name[...]
            while let prefix = known.first(where: { rest.hasPrefix($0) }) { rest = rest.dropFirst(prefix.count) }
            return String(rest)
        }
        var common = Array(names.first?.split(separator: ".", omittingEmptySubsequences: false).dropLast() ?? [])
        for name in names {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            common = Array(common.prefix(zip(common, parts).prefix { $0 == $1 }.count))
        }
        let lengths = common.indices.map { common[...$0].reduce(0) { $0 + $1.count + 1 } }
        return [withoutKnown] + lengths.reversed().map { length in { String($0.dropFirst(length)) } }
    }

    /// What is to be said of each name that came.
    func faults(at place: NetworkSource.Place) -> [ProblemDetails.Fault] {
        names.filter { $0.key != $0.value || shapes[$0.value] != nil }.sorted { $0.key < $1.key }.map { came, name in
            let shape = shapes[name].map { " of shape \($0)" } ?? ""
            let prefix = came.dropLast(name.count)
            let why = prefix.isEmpty ? "" : ", without the prefix \"\(prefix)\" that the names of a wrapped PyTorch model have"
            return .init(
                pointer: place.pointer(to: "/parameters/\(came.jsonPointerToken)"), detail: "\(came): \(name)\(shape) expected\(why)")
        }
    }
}
