/// Where an operation finds the numbers of one input or output: those of sample s begin `stride`·s elements further on.
struct Port: Sendable {
    var address: UInt
    /// Elements from one sample, or row, to the next; 0 if all share one tensor.
    var stride: Int
    /// Elements of one sample.
    var count: Int
    /// Bytes of an element.
    var size: Int

    static let absent = Port(address: 0, stride: 0, count: 0, size: 0)

    var isPresent: Bool { address != 0 }

    @inline(__always)
    func cells<Element: BitwiseCopyable>(_ index: Int) -> Cells<Element> {
        Cells(address: address + UInt(index * stride * MemoryLayout<Element>.stride), count: count)
    }

    /// The same port, seen from a later sample or row.
    func from(_ index: Int) -> Port {
        guard isPresent else { return self }
        return Port(address: address + UInt(index * stride * size), stride: stride, count: count, size: size)
    }
}

/// Some samples of a step on its way forward.
struct ForwardTile<F: NetworkScalar>: Sendable {
    let samples: Int
    let inputs: [Port]
    let outputs: [Port]

    func has(_ input: Int) -> Bool { input < inputs.count && inputs[input].isPresent }
    /// Whether all samples share this input.
    func isShared(_ input: Int) -> Bool { inputs[input].stride == 0 }
    func input(_ input: Int, _ sample: Int) -> Cells<F> { inputs[input].cells(sample) }
    func integers(_ input: Int, _ sample: Int) -> Cells<Int64> { inputs[input].cells(sample) }
    func output(_ sample: Int, _ output: Int = 0) -> Cells<F> { outputs[output].cells(sample) }
    func integerOutput(_ sample: Int, _ output: Int = 0) -> Cells<Int64> { outputs[output].cells(sample) }
}

/// Some samples of a step on its way back, with `cotangents` rows of each: row r belongs to sample r / cotangents.
struct BackwardTile<F: NetworkScalar>: Sendable {
    let samples: Int
    let cotangents: Int
    let inputs: [Port]
    let results: [Port]
    /// Derivatives of the row's functional by the outputs; absent where they are zero.
    let outputCotangents: [Port]
    /// Where the derivatives by the inputs are added; absent where nobody wants them.
    let inputCotangents: [Port]
    /// Inputs whose cotangents hold nothing yet, not even zeros: only those that the operation overwrites.
    let fresh: Set<Int>

    var rows: Int { samples * cotangents }
    func has(_ input: Int) -> Bool { input < inputs.count && inputs[input].isPresent }
    func isShared(_ input: Int) -> Bool { inputs[input].stride == 0 }
    func wants(_ input: Int) -> Bool { input < inputCotangents.count && inputCotangents[input].isPresent }
    func input(_ input: Int, _ sample: Int) -> Cells<F> { inputs[input].cells(sample) }
    func integers(_ input: Int, _ sample: Int) -> Cells<Int64> { inputs[input].cells(sample) }
    func result(_ sample: Int, _ output: Int = 0) -> Cells<F> { results[output].cells(sample) }
    func integerResult(_ sample: Int, _ output: Int = 0) -> Cells<Int64> { results[output].cells(sample) }
    func hasCotangent(_ output: Int) -> Bool { outputCotangents[output].isPresent }
    func cotangent(_ row: Int, _ output: Int = 0) -> Cells<F> { outputCotangents[output].cells(row) }
    func isFresh(_ input: Int) -> Bool { fresh.contains(input) }
    func gradient(_ input: Int, _ row: Int) -> Cells<F> { inputCotangents[input].cells(row) }
}

/// What a step reads of the forward pass on its way back.
struct BackwardReads: Sendable {
    /// The inputs, by their places; nil for all.
    var inputs: Set<Int>?
    var results: Bool

    static let nothing = BackwardReads(inputs: [], results: false)
    static let inputs = BackwardReads(inputs: nil, results: false)
    static let results = BackwardReads(inputs: [], results: true)
    static let everything = BackwardReads(inputs: nil, results: true)

    static func inputs(_ places: Int...) -> BackwardReads { BackwardReads(inputs: Set(places), results: false) }
}

/// One step of a network, compiled for the shapes of one sample: values, and derivatives of values.
///
/// Hot loops are generic over the precision and marked `@specialized`; a step is dispatched once for a tile of samples.
protocol Operation: Sendable {
    /// Writes the outputs of all samples of the tile.
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError)

    /// Adds to each wanted input cotangent of each row: x̄ += (∂y/∂x)ᵀ ȳ.
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError)

    /// What `cotangents` reads.
    var backwardReads: BackwardReads { get }

    /// Whether real outputs have derivatives by real inputs.
    var isDifferentiable: Bool { get }

    /// Floating-point operations of one sample's values; the way back costs about as many for each input and row.
    var operations: Double { get }

    /// Whether `cotangents` writes all of an input's cotangent where nothing has been added to it yet, so that it need not be zero.
    func overwrites(_ input: Int) -> Bool

    /// How the derivative by an input is a sum of outer products; nil if it is not.
    func outerProducts(of input: Int) -> OuterProducts?

    /// Writes the factors of `outerProducts(of:)` for all samples and rows of the tile.
    func writeFactors<F: NetworkScalar>(of input: Int, _ tile: BackwardTile<F>, _ target: FactorTarget<F>) throws(GraphError)
}

extension Operation {
    var backwardReads: BackwardReads { .everything }
    var isDifferentiable: Bool { true }
    func overwrites(_ input: Int) -> Bool { false }
    func outerProducts(of input: Int) -> OuterProducts? { nil }
    func writeFactors<F: NetworkScalar>(of input: Int, _ tile: BackwardTile<F>, _ target: FactorTarget<F>) {}
}

/// Operations without derivatives: comparisons, integers.
protocol ConstantOperation: Operation {}

extension ConstantOperation {
    var isDifferentiable: Bool { false }
    var backwardReads: BackwardReads { .nothing }
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) {}
}

/// The derivative of a row by a weight W [rows, columns] as Σ_t u_t ⊗ v_t, or v_t ⊗ u_t, where u belongs to the sample (activations) and v to the
/// row (cotangents).
struct OuterProducts: Sendable, Equatable {
    /// Terms of the sum.
    var positions: Int
    /// Extent of u, along one axis of the weight, and of v, along the other.
    var sampleExtent: Int
    var rowExtent: Int
    /// Whether u runs along the weight's rows (its first axis).
    var sampleIsFirst: Bool
    /// Whether u_t is one-hot: then its factor is the index of its one, or -1 for no one.
    var isOneHot = false
    /// Whether the gradients' way takes the factors as [extent, positions], as the operation has them.
    var isPlanar = false
    /// The input that is u as it stands, in the gradients' way's order.
    var sampleInput: Int?
    /// Whether v is the output's cotangent as it stands, in that order.
    var rowIsCotangent = false
}

/// Where the factors of a tile go: u at [sample, position, sampleExtent] (or indices at [sample, position]), v at [position, rowExtent] of each row.
struct FactorTarget<F: NetworkScalar>: Sendable {
    var sample: Port
    var row: Port
    let cotangents: Int
    /// Whether factors are wanted as [extent, positions].
    let isPlanar: Bool
    /// Elements from one sample's row to the next one's, and from one cotangent of a sample to the next.
    let sampleStride: Int
    let cotangentStride: Int

    /// A factor that is there already is not written.
    var wantsSample: Bool { sample.isPresent }
    var wantsRow: Bool { row.isPresent }

    func sampleFactor(_ sample: Int) -> Cells<F> { self.sample.cells(sample) }
    func indices(_ sample: Int) -> Cells<Int64> { self.sample.cells(sample) }

    func rowFactor(_ row: Int) -> Cells<F> {
        let place = row / cotangents * sampleStride + row % cotangents * cotangentStride
        return Cells(address: self.row.address + UInt(place * MemoryLayout<F>.stride), count: self.row.count)
    }

    /// The same target, seen from a later sample.
    func from(_ sample: Int) -> FactorTarget {
        var target = self
        target.sample = self.sample.from(sample)
        if wantsRow { target.row.address += UInt(sample * sampleStride * MemoryLayout<F>.stride) }
        return target
    }
}
