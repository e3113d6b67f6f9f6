extension NetworkProgram {
    /// Parameters whose share of the tangent kernel of n1 × n2 points comes from Gram matrices; `n2` nil: one set with itself.
    public func byGrams(_ n1: Int, _ n2: Int?, _ question: KernelQuestion) throws(GraphError) -> [String] {
        let plan = try plan(n1, n2, question)
        return parameters.filter { plan.isByGrams($0.wire) }.map(\.name)
    }
}

extension PassPlan {
    /// Whether a parameter's share comes from Gram matrices, its own or those of the weight that it is the bias of.
    func isByGrams(_ root: Wire) -> Bool { structured.contains { $0.value.way == .grams && ($0.key == root || $0.value.weight.bias == root) } }
}
