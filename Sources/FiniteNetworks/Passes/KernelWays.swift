extension NetworkProgram {
    /// Parameters whose share of the tangent kernel of n1 × n2 points comes from Gram matrices; `n2` nil: one set with itself.
    public func byGrams(_ n1: Int, _ n2: Int?, _ question: KernelQuestion) throws(GraphError) -> [String] {
        let plan = try plan(n1, n2, question)
        return parameters.filter { plan.structured[$0.wire]?.way == .grams }.map(\.name)
    }
}
