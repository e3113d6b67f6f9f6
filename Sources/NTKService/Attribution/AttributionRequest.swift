internal import ArtifactStore
internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// What is asked of the points of a regression.
enum AttributionKind: String, CaseIterable, Sendable {
    /// What a prediction loses without each point.
    case leaveOneOut = "leave_one_out"
    /// What the target of each point contributes to a prediction.
    case weights
    /// What a prediction loses without the points of a group.
    case group
    /// What can be said of the points without a prediction.
    case own = "self"
}

/// `POST /v1/attributions` of a kernel ridge regression, validated.
struct AttributionRequest: ComputeTask {
    let fit: FitRequest
    /// Where the regression is stored.
    let regressor: Regressor?
    let kind: AttributionKind
    /// Names and points, in the order of the request.
    let groups: [(name: String, points: [Int])]
    /// Points of a list; nil where all are asked for.
    let top: Int?
    /// Nil where no prediction is asked about.
    let test: (any TestKernel)?
    private let isFactored: Bool

    private static let mostGroups = 10_000

    /// Of all forms of the request.
    static let fields = [
        "kernel", "regressor", "networks", "x_train", "pattern_train", "y_train", "labels", "ridge", "ridge_scale", "posterior", "on_singular",
        "diagnostics", "solver", "x_test", "pattern_test", "labels_test", "test_train", "test_test", "nngp", "groups", "top", "output", "include",
        "exclude",
    ]

    /// - Parameter regressors: nil where nothing is stored.
    init(
        _ reader: consuming ObjectReader, _ networks: NetworkStore, _ regressors: RegressorEndpoints?, memoryBytes: Int
    ) throws(ProblemDetails) {
        kind = try reader.choice("kind", default: .leaveOneOut)
        let names: TestFieldNames
        if let value = reader.optional("regressor") {
            if reader.optional("kernel") != nil { throw .invalid(reader.pointer(to: "kernel"), "a kernel or a regressor expected; both came") }
            guard let regressors else { throw .unavailable("this server has no data directory") }
            let own = try regressors.named(value, at: reader.pointer(to: "regressor"))
            (regressor, isFactored) = (own, regressors.isFactored(own))
            fit = FitRequest(training: own.fit.training, targets: own.fit.targets, settings: own.settings, posterior: own.fit.posterior)
            guard own.fit.regression.diagnostics.method != .conjugateGradient else {
                throw .invalid(reader.pointer(to: "regressor"), "a regressor with a factor expected; this one was fitted by conjugate gradients")
            }
            names = TestFieldNames(points: "x_test", pattern: "pattern_test", matricesAreInKernel: false)
        } else {
            var own = try FitRequest(&reader, networks, memoryBytes: memoryBytes)
            guard !own.isIterative else {
                throw .invalid(
                    reader.pointer(to: "solver"), "direct expected: conjugate gradients have no factor, or the system's takes too much memory")
            }
            // Blocks are found from the factor alone.
            own.settings.completeness = own.training.outputs == nil ? .complete : .fast
            (regressor, isFactored, fit) = (nil, false, own)
            names = .beside
        }
        let n = fit.training.count
        groups = try Self.groups(&reader, count: n, isAsked: kind == .group)
        top = try reader.top(of: n)
        if let top, kind == .group || kind == .own { throw .invalid(reader.pointer(to: "top"), "no top expected with this kind; \(top) came") }
        test = kind == .own ? nil : try fit.training.readTest(&reader, names)
        try reader.finish(orNull: Self.fields)
    }

    /// `{"name": [indices]}`.
    private static func groups(
        _ reader: inout ObjectReader, count: Int, isAsked: Bool
    ) throws(ProblemDetails) -> [(name: String, points: [Int])] {
        let pointer = reader.pointer(to: "groups")
        guard let value = reader.optional("groups") else {
            if isAsked { throw .invalid(pointer, "an object with lists of indices of points by name expected; the field is missing") }
            return []
        }
        guard isAsked else { throw .invalid(pointer, "no groups expected but with kind \"group\"") }
        guard case .object(let object) = value, (1...mostGroups).contains(object.members.count) else {
            throw .invalid(pointer, "an object with 1 to \(mostGroups) lists of indices of points by name expected; \(value.kindName) came")
        }
        var nested = try ObjectReader(value, at: pointer)
        var groups: [(String, [Int])] = []
        for (name, _) in object.members {
            let points = try nested.requiredIntegers(name, in: 0...max(count - 1, 0))
            guard Set(points).count == points.count else {
                throw .invalid("\(pointer)/\(name.jsonPointerToken)", "each point once expected in a group")
            }
            groups.append((name, points))
        }
        return groups
    }

    // MARK: Cost

    private var rows: Int { fit.training.order }
    private var testRows: Int { (test?.count ?? 0).multipliedClamped(by: fit.training.outputs ?? 1) }
    private var outputs: Int { fit.targets.matrix.columns }

    /// Rows of the kernel that belong to groups.
    private var groupedRows: [Double] { groups.map { Double($0.points.count) * Double(fit.training.outputs ?? 1) } }

    var work: Work {
        let (m, t) = (Double(rows), Double(testRows))
        // The fit, the diagonal or blocks of the inverse, the map, and what is made of it.
        var work = isFactored ? .none : regressor.map { $0.factoring.work(needsCovariance: true) } ?? fit.work(needsCovariance: true)
        if regressor != nil || fit.training.outputs != nil { work += Work(.factorizations, m * m * m * (fit.training.outputs == nil ? 1 / 3 : 1)) }
        if let test {
            work += fit.training.work(.cross, points: test.count) + Work(.factorizations, 2 * t * m * m)
            work += Work(.loops, 2 * t * m * Double(outputs)) + Work.product(testRows, rows, fit.training.outputs == nil ? outputs : 1)
            if top != nil { work += Work(.formulas, 20 * Double(test.count) * Double(fit.training.count)) }
        }
        for size in groupedRows {
            work += Work(.factorizations, size * m * m + size * size * size / 3) + Work(.products, 2 * t * size * Double(outputs))
        }
        return work + Work(.calls, 20).onOneThread
    }

    var peakBytes: Int {
        let (n, m, t, k) = (Count(fit.training.count), Count(rows), Count(test?.count ?? 0), Count(outputs))
        var numbers = n * k * 6 + Count(testRows) * m * 2 + t * 3 * Count(fit.training.numbersPerPoint)
        if let top { numbers += t * Count(top) * (k + 2) + n * 4 * (k + 2) } else { numbers += t * n * k }
        if kind == .weights, top == nil { numbers += Count(testRows) * m }
        let largest = Count(Int(groupedRows.max() ?? 0))
        numbers += largest * m * 2 + largest * largest * 2 + Count(groups.count) * t * k
        if fit.training.outputs != nil { numbers += m * 1_024 + m * k }
        return (numbers * 8).value.addingClamped(fit.peakBytes)
    }

    var tableBytes: Int { fit.training.tableBytes }
    func workingBytes(threads: Int) -> Int { fit.training.workingBytes(with: test?.count ?? 0, threads: threads) }
}

extension ObjectReader {
    /// How many training points with the largest influence are asked for: of more than there are, all.
    mutating func top(of count: Int) throws(ProblemDetails) -> Int? { try optionalInteger("top", in: 1...(1 << 30)).map { min($0, count) } }
}

extension RegressorEndpoints {
    /// A regressor that a request names; where it has to be read, what that takes is asked for before.
    func named(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> Regressor {
        guard case .string(let name) = value else { throw .invalid(pointer, "the id of a regressor expected; \(value.kindName) came") }
        do {
            if let cached = cached(name) { return cached }
            let bytes = try readingBytes(name)
            try Allowance.take(bytes, for: StoredObject(name: "the regressor \(name.prefix(80))", bytes: bytes))
            if let id = ArtifactID(name), let found = try library.find(id) { return found }
        } catch let problem as ProblemDetails {
            throw problem
        } catch {
            throw NTKService.problem(error)
        }
        throw .invalid(pointer, "the id of a stored regressor expected, as POST /v1/regressors gave it; \"\(name.prefix(80))\" is none")
    }
}
