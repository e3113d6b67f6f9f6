internal import ArtifactStore
internal import Glibc
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

// The one place where an error of any layer becomes a status.
extension ProblemDetails {
    /// The request is JSON, and a value in it means nothing: 422.
    static func invalid(_ pointer: String, _ detail: String) -> ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .invalidInput, title: "The request cannot be computed as it stands",
            detail: pointer.isEmpty ? detail : "\(pointer): \(detail)", faults: [Fault(pointer: pointer, detail: detail)])
    }

    init(_ error: JSONError) {
        switch error.kind {
        case .shape:
            self = .invalid(error.pointer, error.detail)
        case .memory:
            self = .unavailable(error.detail)
        case .syntax, .number, .encoding, .depth, .size, .duplicateKey:
            self.init(
                status: .badRequest, type: .malformedJSON, title: "The body is not a JSON text that can be read",
                detail: error.pointer.isEmpty ? error.detail : "\(error.pointer): \(error.detail)",
                faults: [Fault(pointer: error.pointer, detail: error.detail)])
        }
    }

    init(_ error: FormatError) {
        self.init(
            status: .badRequest, type: .malformedBody, title: "The body, or a part of it, is not a file that can be read",
            detail: "\(error.format): \(error.detail)")
    }

    init(_ rejection: HTTPRejection) {
        self.init(
            status: rejection.status, type: .http, title: rejection.status.reasonPhrase, detail: "\(rejection.detail) (\(rejection.rule))")
    }

    /// - Parameter fields: what the request calls the kernel's x1 and x2.
    init(_ error: KernelError, fields: (x1: String, x2: String)) {
        switch error {
        case .featuresDiffer(let expected, let came):
            self = .invalid("/\(fields.x2)", "points of \(expected) features expected, as in \(fields.x1); \(came) came")
        case .overflow(let set, let point, let precision):
            let field = set == "x1" ? fields.x1 : fields.x2
            self = .invalid(
                "/\(field)/\(point)",
                "a kernel value within the range of \(precision) expected; this point's own value overflows: scale the inputs"
                    + (precision == "float32" ? ", or ask for float64" : ""))
        case .underflow(let set, let point):
            self = .invalid(
                "/\(set == "x1" ? fields.x1 : fields.x2)/\(point)",
                "kernel values within the range of float64 expected; one of this point's own is below it, before a layer to which no variance is "
                    + "too small: scale the inputs")
        case .pairOverflow(let first, let second, let isAmongOneSet, let precision):
            let partners = isAmongOneSet ? fields.x1 : fields.x2
            self = .invalid(
                "/\(fields.x1)/\(first)",
                "a kernel value within the range of \(precision) expected; that of this point and /\(partners)/\(second) is not finite: scale the inputs"
                    + (precision == "float32" ? ", or ask for float64" : ""))
        }
    }

    init(_ error: RegressionError) {
        switch error {
        case .singular(let ridge, let reciprocalCondition, let jitter):
            self.init(
                status: .unprocessableContent, type: .singularSystem, title: "The kernel matrix is singular",
                detail:
                    "a positive definite K + ridge·I expected; with ridge \(ridge)\(jitter > 0 ? " and jitter up to \(jitter)" : "") its reciprocal "
                    + "condition number is \(reciprocalCondition) in float64: points in the same direction where there is no bias, or kernels "
                    + "of few features, make it so; give a larger ridge, leave such points out, or ask for on_singular minimum_norm",
                faults: [Fault(pointer: "/ridge", detail: "a larger ridge expected")])
        case .everyCandidateSingular:
            self.init(
                status: .unprocessableContent, type: .singularSystem, title: "The kernel matrix is singular",
                detail: "a candidate expected with which K + ridge·I is positive definite to working precision; none is",
                faults: [Fault(pointer: "/ridge/candidates", detail: "larger ridges expected")])
        case .kernelOverflow:
            self = .invalid("/kernel", "a kernel, and eigenvalues, within the range of float64 expected; they overflow: scale the inputs")
        case .overflow:
            self = .invalid("/y_train", "predictions within the range of float64 expected; they overflow: scale the targets, or give a larger ridge")
        case .indefinite(let least, let largest):
            self = .invalid(
                "/kernel", "a positive semi-definite kernel expected; its eigenvalues go from \(least) to \(largest), and that is more than rounding")
        case .negativeVariance(let test, let value, _):
            self = .invalid(
                "/kernel",
                "one positive semi-definite kernel expected; the variance at test point \(test) is \(value), and that is more than rounding")
        case .theoryOverflow(let samples):
            self = .invalid(
                "/ridge", "a constant κ within the range of float64 expected; with \(samples) samples it overflows: scale the kernel and the ridge")
        case .noConvergence(let iterations, let residual):
            self = .invalid(
                "/ridge",
                "a system that conjugate gradients solve expected; after \(iterations) iterations the relative residual is \(residual): "
                    + "give a larger ridge")
        }
    }

    /// A query parameter with a value that means nothing.
    static func badParameter(_ name: String, _ expected: String, _ came: String) -> ProblemDetails {
        ProblemDetails(
            status: .badRequest, type: .badParameter, title: "A query parameter has a value that means nothing",
            detail: "\(name): \(expected) expected; \(came.prefix(80)) came")
    }

    /// What may come once and came twice: a query parameter, a field of the header or of the request, a part of the body.
    static func repeated(_ what: String, at pointer: String? = nil) -> ProblemDetails {
        let detail = "\(what) once expected; it came twice"
        return ProblemDetails(
            status: .badRequest, type: .repeated, title: "What may come once came twice",
            detail: detail, faults: pointer.map { [Fault(pointer: $0, detail: detail)] } ?? [])
    }

    init(_ error: NoConvergence) { self.init(RegressionError.kernelOverflow) }

    init(_ error: ArtifactStoreError) {
        switch error {
        // Of the directory or its disk, which may be back soon.
        case .system:
            self = .unavailable("the data directory cannot be used now: \(error.explanation)")
            isOfStorage = true
        case .damaged(let path): self = .damagedRecord(ArtifactStoreError.name(path))
        }
    }

    /// What the data directory holds is not what was written: a fault of ours.
    static func damagedRecord(_ what: String) -> ProblemDetails {
        ProblemDetails(
            status: .internalServerError, type: .damagedArtifact, title: "A stored artifact is damaged",
            detail: "\(what) is missing or damaged in the data directory")
    }

    static func overMemory(_ estimate: Estimate, limit: Int) -> ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .overLimit, title: "The request needs more memory than one request may take",
            detail: "at most \(limit) bytes for its matrices expected; this one needs about \(estimate.peakBytes)", estimate: estimate)
    }

    static func overTime(_ estimate: Estimate, limit: Double) -> ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .overLimit, title: "The request needs more time than one request may take",
            detail: "work of at most \(limit) s expected; this one takes about \(estimate.seconds.rounded()) s", estimate: estimate)
    }

    static func unavailable(_ detail: String) -> ProblemDetails {
        ProblemDetails(
            status: .serviceUnavailable, type: .unavailable, title: "The server has no capacity for this now", detail: detail,
            headerFields: [.retryAfter: "1"])
    }

    /// A fault of our own, which no request should be able to make.
    static func unexpected(_ error: any Error) -> ProblemDetails {
        var problem = ProblemDetails(
            status: .internalServerError, type: .internal, title: "The server failed",
            detail: "an unexpected error: \(String(describing: Swift.type(of: error)))")
        problem.fault = "\(Swift.type(of: error)): \(error)"
        return problem
    }
}
