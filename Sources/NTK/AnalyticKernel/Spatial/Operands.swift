/// What an operation cannot do without. That it is missing would be a fault of the plan, and to leave the operation out would be a wrong
/// kernel without a word.
@inline(__always)
func needed<Operand>(_ operand: Operand?, _ name: StaticString) -> Operand {
    guard let operand else { preconditionFailure("an operand that the plan promised: \(name)") }
    return operand
}
