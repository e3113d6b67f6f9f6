/// A fault of the plan's own: what an operation cannot do without is not there. No request should be able to make one; that it ends the
/// request with an error and not the process, or the operation left out with a wrong kernel, is what this is for.
public struct KernelFault: Error, CustomStringConvertible {
    /// What is missing.
    public let description: String

    @usableFromInline package init(_ name: String) { description = "an operand that the plan promised is missing: \(name)" }
}

/// What an operation cannot do without.
@inlinable
@inline(__always)
package func needed<Operand>(_ operand: Operand?, _ name: @autoclosure () -> String) throws(KernelFault) -> Operand {
    guard let operand else { throw KernelFault(name()) }
    return operand
}
