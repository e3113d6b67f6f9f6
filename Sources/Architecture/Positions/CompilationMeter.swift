package import Activations
import LinearAlgebra

/// Counts what it takes to compile an architecture, and asks for it before it is taken: a short text can describe tables of any size and
/// repetitions without end.
public final class CompilationMeter {
    /// What was taken so far.
    public struct Usage: Sendable, Equatable {
        /// Bytes of the tables that stay as long as what was compiled.
        public var bytes = 0
        /// Layers that were visited, repetitions counted, and entries of tables that were worked out.
        public var steps = 0
    }

    public private(set) var usage = Usage()
    private let allow: (Usage) throws -> Void
    private var nextQuestion: Int

    /// Steps from one question to the next: some milliseconds.
    private static let interval = 1 << 16

    /// - Parameters:
    ///   - firstSteps: after how many steps `allow` is asked for the first time.
    ///   - allow: is given all that will have been taken; throws where that may not be, or nobody waits for it any more.
    public init(firstSteps: Int = 1 << 16, allow: @escaping (Usage) throws -> Void = { _ in }) {
        nextQuestion = firstSteps
        self.allow = allow
    }

    /// Asks for more bytes of tables.
    /// - Throws: with what `allow` threw as its cause.
    package func take(_ bytes: Int, at path: String) throws(ArchitectureError) {
        guard bytes > 0 else { return }
        usage.bytes = usage.bytes.addingClamped(bytes)
        try ask(path)
    }

    /// Notes some steps, and asks now and then whether to go on.
    package func step(_ count: Int = 1, at path: @autoclosure () -> String = "") throws(ArchitectureError) {
        usage.steps = usage.steps.addingClamped(count)
        if usage.steps >= nextQuestion { try ask(path()) }
    }

    private func ask(_ path: String) throws(ArchitectureError) {
        nextQuestion = usage.steps.addingClamped(Self.interval)
        do {
            try allow(usage)
        } catch {
            throw ArchitectureError(
                path: path, detail: "an architecture whose tables take less memory and time expected; here are \(usage.bytes) bytes so far",
                cause: error)
        }
    }
}
