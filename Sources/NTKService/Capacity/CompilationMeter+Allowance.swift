internal import HTTPTypes
internal import LinearAlgebra
internal import NTK

extension CompilationMeter {
    /// Steps that an event loop may take: well below a millisecond.
    private static let smallSteps = 1_000

    /// A meter for what the request that is read now compiles: tables take of its allowance, and on an event loop nothing is taken that is not small.
    static func ofRequest() -> CompilationMeter {
        guard let allowance = Allowance.current else {
            // Of a model that has been fitted or stored: its architecture came through an allowance before.
            if CurrentWork.isUnderWay { return CompilationMeter { _ in if CurrentWork.isCancelled { throw CancellationError() } } }
            return CompilationMeter(firstSteps: smallSteps) { usage in
                guard usage.bytes <= Allowance.small, usage.steps < smallSteps else {
                    throw Allowance.missing(max(1, usage.bytes.multipliedClamped(by: 2) - Allowance.small))
                }
            }
        }
        var taken = Allowance.small
        return CompilationMeter { usage in
            try allowance.checkCancellation()
            guard usage.bytes <= allowance.limit else { throw ProblemDetails.overTables(usage.bytes, limit: allowance.limit) }
            guard usage.bytes > taken else { return }
            do {
                try Allowance.take(usage.bytes - taken)
                taken = usage.bytes
            } catch var problem as ProblemDetails {
                // What comes next will need more, too: as much again, so that few attempts are made.
                problem.missingBytes = problem.missingBytes.addingClamped(min(usage.bytes, allowance.limit - usage.bytes))
                throw problem
            }
        }
    }
}

extension ProblemDetails {
    fileprivate static func overTables(_ bytes: Int, limit: Int) -> ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .overLimit, title: "The request needs more memory than one request may take",
            detail: "an architecture whose tables of positions take at most \(limit) bytes expected; this one's take \(bytes) and more")
    }

    /// - Parameter pointer: to the architecture.
    init(_ error: ArchitectureError, at pointer: String) {
        let pointer = pointer + error.path
        switch error.cause {
        case var problem as ProblemDetails:
            if problem.missingBytes == 0, !problem.detail.isEmpty { problem.faults = [Fault(pointer: pointer, detail: problem.detail)] }
            self = problem
        // The client has gone, so that this answer is not read.
        case is CancellationError: self = .unavailable("the request was cancelled")
        default: self = .invalid(pointer, error.detail)
        }
    }
}
