/// A parameter all of whose uses have derivatives that are sums of outer products, as a matrix [rows, columns] in its own orientation.
struct StructuredWeight: Sendable {
    struct Use: Sendable {
        /// Index of the step and place of its input.
        var step: Int
        var input: Int
        /// The parameter itself, or its transpose.
        var root: Wire
        var products: OuterProducts
        /// Whether the activations' factor runs along the parameter's rows.
        var sampleIsFirst: Bool
    }

    let parameter: Wire
    let rows: Int
    let columns: Int
    var uses: [Use]
    /// Whether the cotangents of a point's rows are one function of the place times a number of the row, for each channel.
    var isSeparable = false
    /// A parameter that is added to the products, one number for each of the cotangents' extent, and whose share is computed with this one's.
    var bias: Wire?

    /// Nil where a use has no such form.
    /// - Parameter allowsRearranged: whether gradients may have their numbers at other places than the parameter.
    init?<F>(_ program: NetworkProgram<F>, root: Wire, readers: PassPlan.Readers, allowsRearranged: Bool) {
        if let weight = StructuredWeight(program, root, [(root, false)], readers) {
            self = weight
        } else if allowsRearranged, let other = Rearrangement.of(root, program, readers),
            let weight = StructuredWeight(program, root, [(other, false)], readers)
        {
            self = weight
        } else {
            return nil
        }
    }

    private init?<F>(
        _ program: NetworkProgram<F>, _ parameter: Wire, _ start: [(root: Wire, isTransposed: Bool)], _ readers: PassPlan.Readers
    ) {
        var roots = start
        for reader in readers.staticSteps[start[0].root] ?? [] {
            let step = program.staticSteps[reader.step]
            guard let view = step.operation as? StridedView, view.transposedMatrix != nil, let output = step.outputs.first else { return nil }
            roots.append((output, true))
        }
        var uses: [Use] = []
        var extents: (rows: Int, columns: Int)?
        for (root, isTransposed) in roots {
            if isTransposed, readers.staticSteps[root] != nil { return nil }
            for reader in readers.steps[root] ?? [] {
                guard let products = program.steps[reader.step].operation.outerProducts(of: reader.place) else { return nil }
                let sampleIsFirst = products.sampleIsFirst != isTransposed
                let own = sampleIsFirst ? (products.sampleExtent, products.rowExtent) : (products.rowExtent, products.sampleExtent)
                if let extents { guard extents == own else { return nil } } else { extents = own }
                uses.append(Use(step: reader.step, input: reader.place, root: root, products: products, sampleIsFirst: sampleIsFirst))
            }
        }
        guard let extents, !uses.isEmpty else { return nil }
        self.parameter = parameter
        (rows, columns) = extents
        self.uses = uses
    }

    /// Terms of a gradient.
    var positions: Int { uses.reduce(0) { $0 + $1.products.positions } }
}
