package import Activations

/// φ of every element: K ← E[φ(u) φ(v)], Θ ← E[φ'(u) φ'(v)] Θ with (u, v) ~ N(0, K before), see `DualActivation`.
package struct ElementFunction: LayerRule {
    package let function: Activation

    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        guard value.isGaussian else {
            throw ArchitectureError(
                path: path,
                detail: "an activation must follow a layer with random weights (dense, conv, attention): only there is its input Gaussian; "
                    + (input == 0 ? "this one stands first" : "this one follows another activation, flatten, dropout or a fan-in"))
        }
        let step = try compiler.prepared(function, at: path)
        value.isGaussian = false
        return try compiler.append(.activation(step), [input], value, at: path)
    }

    /// Anywhere, unlike in the kernel: a finite network asks for no Gaussian input.
    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        try compiler.located(place.pointer) { () throws(ArchitectureError) in
            try function.validate()
            if case .expNormalized = function {
                throw ArchitectureError(path: "", detail: "an activation that is a function expected; exp_normalized is a kernel only")
            }
        }
        return try compiler.append(.activation(function), [input], compiler.program.values[input], at: place)
    }
}
