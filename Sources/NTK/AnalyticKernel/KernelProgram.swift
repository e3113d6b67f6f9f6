/// An architecture reduced to what its kernel needs: the layers in order, each a change of (covariance K, tangent kernel Θ) of a pair.
struct KernelProgram: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        /// K ← weight K + bias, Θ ← weight Θ + input K + constant (with the K before):
        ///
        /// | parameterization | weight | bias | input | constant |
        /// |---|---|---|---|---|
        /// | ntk | sigma_w² | sigma_b² | sigma_w² | sigma_b² |
        /// | standard | sigma_w² | sigma_b² | fan-in | 1 if there is a bias |
        case affine(weight: Double, bias: Double, input: Double, constant: Double)
        /// K ← E[phi(u) phi(v)], Θ ← E[phi'(u) phi'(v)] Θ with phi(u) = a min(u, 0) + b max(u, 0).
        case abRelu(a: Double, b: Double)
        /// The same with phi(u) = a erf(b u) + c.
        case erf(a: Double, b: Double, c: Double)
    }

    var steps: [Step] = []

    /// Compiles `layer` for inputs of `features` numbers.
    init(_ layer: Layer, features: Int) throws(ArchitectureError) {
        var compiler = Compiler(width: features)
        try compiler.add(layer, at: "")
        steps = compiler.steps
    }
}

/// Walks the tree and carries what a later layer needs to know of the earlier ones.
private struct Compiler {
    var steps: [KernelProgram.Step] = []
    /// Channels of the finite network at this place; nil after a layer that states none.
    var width: Int?
    /// Whether the value here is Gaussian over random weights, which an activation's dual assumes.
    var isGaussian = false

    init(width: Int) { self.width = width }

    mutating func add(_ layer: Layer, at path: String) throws(ArchitectureError) {
        switch layer {
        case .serial(let layers):
            for (index, layer) in layers.enumerated() { try add(layer, at: "\(path)/layers/\(index)") }
        case .mlp(let depth, let activation, let hidden, let readout):
            guard depth >= 0 else { throw ArchitectureError(path: path + "/depth", detail: "depth must be 0 or more; \(depth) came") }
            for _ in 0..<depth {
                try affine(hidden, at: path)
                try add(.activation(activation), at: path + "/activation")
            }
            try affine(readout, at: path)
        case .dense(let parameters):
            try affine(parameters, at: path)
        case .activation(.abRelu(let a, let b)):
            try activation(.abRelu(a: a, b: b), at: path)
        case .activation(.erf(let a, let b, let c)):
            try activation(.erf(a: a, b: b, c: c), at: path)
        default:
            throw ArchitectureError(path: path, detail: "a layer expected that the analytic kernel knows; this one is not among them yet")
        }
    }

    private mutating func affine(_ parameters: Affine, at path: String) throws(ArchitectureError) {
        let weight = parameters.weightStd * parameters.weightStd
        let bias = parameters.biasStd.map { $0 * $0 } ?? 0
        guard weight.isFinite, bias.isFinite else {
            throw ArchitectureError(path: path, detail: "w_std and b_std must be numbers whose squares are finite")
        }
        switch parameters.parameterization {
        case .ntk:
            steps.append(.affine(weight: weight, bias: bias, input: weight, constant: bias))
        case .standard:
            guard let width else {
                throw ArchitectureError(
                    path: path,
                    detail: "the standard parameterization depends on the fan-in: give the linear layer before this one a width")
            }
            steps.append(.affine(weight: weight, bias: bias, input: Double(width), constant: parameters.biasStd == nil ? 0 : 1))
        }
        width = parameters.width
        isGaussian = true
    }

    private mutating func activation(_ step: KernelProgram.Step, at path: String) throws(ArchitectureError) {
        guard isGaussian else {
            throw ArchitectureError(
                path: path,
                detail: "an activation must follow a layer with random weights (dense): only there is its input Gaussian; "
                    + (steps.isEmpty ? "this one stands first" : "this one follows another activation"))
        }
        steps.append(step)
        isGaussian = false
    }
}
