internal import NTK
internal import TensorFormats

/// How a kernel ridge regression is to be fitted, as requests say it.
struct FitSettings: Sendable {
    enum RidgeScale: String, CaseIterable, Sendable {
        /// The ridge is added as it is.
        case absolute
        /// The ridge is in units of the mean of the kernel's diagonal.
        case relative
    }

    enum Completeness: String, CaseIterable, Sendable {
        /// Complete up to some thousand points, fast beyond.
        case automatic
        /// Also beyond, though they take as long as the fit.
        case complete
        /// What the solution alone tells.
        case fast
    }

    enum Solver: String, CaseIterable, Sendable {
        case automatic, direct
        case conjugateGradient = "conjugate_gradient"
    }

    var ridge: Ridge
    var ridgeScale: RidgeScale
    var onSingular: SingularPolicy
    var completeness: Completeness
    var solver: Solver

    /// Half decades from 10⁻⁸ to 10².
    private static let standardCandidates = (-16...4).map { exponent in
        let decade = ["1e-8", "1e-7", "1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1e0", "1e1", "1e2"][(exponent + 16) / 2]
        return (Double(decade) ?? 0) * (exponent.isMultiple(of: 2) ? 1 : 3)
    }

    private static let mostCandidates = 10_000

    init(_ reader: inout ObjectReader) throws(ProblemDetails) {
        ridge = try Self.ridge(reader.optional("ridge"), at: reader.pointer(to: "ridge"))
        ridgeScale = try reader.choice("ridge_scale", default: .absolute)
        onSingular = try reader.choice("on_singular", default: .minimumNorm)
        completeness = try reader.choice("diagnostics", default: .automatic)
        solver = try reader.choice("solver", default: .automatic)
    }

    private static func ridge(_ value: JSONValue?, at pointer: String) throws(ProblemDetails) -> Ridge {
        switch value {
        case nil: return .fixed(0)
        case .number(let number):
            guard number.value >= 0 else { throw .invalid(pointer, "a ridge of 0 or more expected; \(number.value) came") }
            return .fixed(number.value)
        case .object:
            var reader = try ObjectReader(value ?? .null, at: pointer)
            let criterion: RidgeCriterion = try reader.requiredChoice("select")
            let list = try reader.optionalArray("candidates")
            try reader.finish()
            guard let list else { return .select(criterion, candidates: standardCandidates) }
            guard list.shape.count == 1, (1...mostCandidates).contains(list.elements.count) else {
                throw .invalid("\(pointer)/candidates", "a list of 1 to \(mostCandidates) ridges expected")
            }
            for (index, ridge) in list.elements.enumerated() where !(ridge >= 0) {
                throw .invalid("\(pointer)/candidates/\(index)", "a ridge of 0 or more expected")
            }
            return .select(criterion, candidates: Array(list.elements))
        default:
            throw .invalid(pointer, "a number of 0 or more, or {\"select\": …, \"candidates\": […]}, expected; \(value?.kindName ?? "nothing") came")
        }
    }

    /// For a kernel with this mean diagonal.
    func options(
        meanDiagonal: Double, count: Int, needsCovariance: Bool, of training: any TrainingKernel
    ) throws(ProblemDetails) -> RegressionOptions {
        let scale = ridgeScale == .relative ? meanDiagonal : 1
        var scaled = ridge
        switch ridge {
        case .fixed(let value): scaled = .fixed(try Self.scaled(value, scale, at: "/ridge"))
        case .select(let criterion, let candidates):
            var values: [Double] = []
            for (index, value) in candidates.enumerated() { values.append(try Self.scaled(value, scale, at: "/ridge/candidates/\(index)")) }
            scaled = .select(criterion, candidates: values)
        }
        let isSmall = count <= RegressionOptions.completeUpTo
        let isComplete: Bool? =
            switch completeness {
            case .automatic: nil
            case .complete: true
            case .fast: false
            }
        var options = RegressionOptions(
            ridge: scaled, onSingular: onSingular, isComplete: isComplete, needsFactor: needsCovariance || isSmall && completeness == .automatic)
        options.entryRounding = training.entryRounding
        options.judgesKernel = training.mayBeNoKernel
        return options
    }

    private static func scaled(_ ridge: Double, _ scale: Double, at pointer: String) throws(ProblemDetails) -> Double {
        let product = ridge * scale
        guard product.isFinite else { throw .invalid(pointer, "a ridge whose product with the kernel's mean diagonal is finite expected") }
        return product
    }

    /// The settings in canonical JSON.
    var canonicalText: String {
        var json = JSONWriter()
        json.beginObject()
        json.key("ridge")
        switch ridge {
        case .fixed(let value): JSONValue.number(.double(value)).write(to: &json)
        case .select(let criterion, let candidates):
            json.beginObject()
            json.key("candidates")
            JSONValue.tensor(NumericArray(shape: [candidates.count], elements: NumericElements(candidates))).write(to: &json)
            json.member("select", criterion.rawValue)
            json.endObject()
        }
        json.member("ridge_scale", ridgeScale.rawValue)
        json.member("on_singular", onSingular.rawValue)
        json.member("diagnostics", completeness.rawValue)
        json.member("solver", solver.rawValue)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
