import LinearAlgebra
import NTK
import TestSupport
import Testing

/// What must hold for the kernels of architectures with spatial axes and branches.
struct ArchitecturePropertyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var architecture: Layer
        var shape: [Int] = [5, 4, 2]
        var testDescription: String { name }
    }

    static func conv(_ filter: [Int] = [3, 3], _ padding: Padding = .same, strides: [Int]? = nil, _ variant: Convolution.Variant = .shared) -> Layer {
        .convolution(
            Convolution(variant: variant, filterShape: filter, strides: strides, padding: padding, affine: Affine(weightStd: 1.3, biasStd: 0.2)))
    }

    static let dense = Layer.dense(Affine(weightStd: 1.2, biasStd: 0.1))
    static let pooled: [Layer] = [.globalPool(.average), dense]

    static let cases: [Case] = [
        Case(
            name: "conv flatten",
            architecture: .serial([conv(), .relu, conv([2, 2], .valid), .activation(.gelu(approximate: false)), .flatten, dense])),
        Case(name: "conv pool", architecture: .serial([conv(), .relu, conv([3, 3], .circular), .erf] + pooled)),
        Case(name: "strided", architecture: .serial([conv([3, 2], .same, strides: [2, 1]), .relu, conv([2, 2], .valid), .relu] + pooled)),
        Case(name: "local", architecture: .serial([conv([3, 3], .same, strides: nil, .local), .relu, conv(), .relu] + pooled)),
        Case(name: "transposed", architecture: .serial([conv([3, 3], .same, strides: [2, 2], .transpose), .relu] + pooled)),
        Case(
            name: "pool within",
            architecture: .serial([conv(), .relu, .pool(Pool(windowShape: [2, 2], strides: [2, 2])), conv([2, 2]), .relu] + pooled)),
        Case(
            name: "residual",
            architecture: .serial([conv(), .residual([.relu, conv(), .relu, conv()]), .relu] + pooled)),
        Case(
            name: "attention",
            architecture: .serial(
                [
                    conv(), .relu, .dense(Affine()), .selfAttention(SelfAttention(heads: 2, positionalEmbedding: .sum)), .relu,
                ] + pooled)),
        Case(
            name: "layer norm",
            architecture: .serial([conv(), .layerNorm(LayerNorm(axes: [.index(1), .channel])), .relu, conv(), .activation(.tanh)] + pooled)),
        Case(name: "volume", architecture: .serial([conv([2, 2, 2]), .relu, conv([2, 2, 2], .circular), .relu] + pooled), shape: [3, 2, 3, 2]),
        Case(
            name: "resize", architecture: .serial([conv(), .relu, .imageResize(ImageResize(shape: [-1, 3, 6, -1], method: .linear))] + pooled)),
        Case(
            name: "vector tree",
            architecture: .serial([
                dense, .fanOut(2), .parallel([.serial([.relu, dense]), .serial([.activation(.sin(a: 1, b: 1, c: 0.3)), dense])]), .fanInProd, dense,
                .layerNorm(LayerNorm()), .activation(.elu(alpha: 1, scale: 1)), dense,
            ]), shape: [6]),
        Case(
            name: "vector concat",
            architecture: .serial([
                dense, .fanOut(2), .parallel([.serial([.relu, dense]), .serial([.activation(.monomial(degree: 2)), dense])]),
                .fanInConcat(.channel), dense, .dropout(Dropout(keepProbability: 0.8)), dense,
            ]), shape: [6]),
    ]

    static func kernels(_ item: Case, _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil) throws -> [Matrix<Double>] {
        let result = try AnalyticKernel(item.architecture, shape: item.shape).matrices(x1, x2, kinds: [.nngp, .ntk], as: Double.self)
        return [try #require(result.nngp), try #require(result.ntk)]
    }

    static func points(_ item: Case, _ count: Int, seed: UInt64) -> Matrix<Double> {
        .random(count, item.shape.reduce(1, *), seed: seed)
    }

    static func scale(_ kernel: Matrix<Double>, _ i: Int, _ j: Int) -> Double { (kernel[i, i] * kernel[j, j]).squareRoot() }

    @Test(arguments: cases)
    func symmetryOrderAndDiagonal(item: Case) throws {
        let x = Self.points(item, 9, seed: 1)
        let reversed = Matrix((0..<9).reversed().map { x.row($0) })
        let kernel = try AnalyticKernel(item.architecture, shape: item.shape)
        let diagonals = try kernel.diagonals(x, kinds: [.nngp, .ntk], as: Double.self)
        for (index, (whole, other)) in try zip(Self.kernels(item, x), Self.kernels(item, reversed)).enumerated() {
            let diagonal = try #require(index == 0 ? diagonals.nngp : diagonals.ntk)
            for i in 0..<9 {
                #expect(whole[i, i] == diagonal[i])
                for j in 0..<9 {
                    #expect(whole[i, j] == whole[j, i])
                    #expect(abs(whole[i, j] - other[8 - i, 8 - j]) <= 1e-13 * Self.scale(whole, i, j))
                }
            }
        }
    }

    /// With duplicates, opposite and zero points; and never NaN.
    @Test(arguments: cases)
    func positiveSemiDefiniteOnDegeneratePoints(item: Case) throws {
        let x = Self.points(item, 6, seed: 2)
        let zero = [Double](repeating: 0, count: x.columns)
        let rows = Matrix((0..<6).map { x.row($0) } + [x.row(0), x.row(1).map { -$0 }, zero, zero, x.row(2).map { 3 * $0 }])
        for kernel in try Self.kernels(item, rows) {
            let isFinite = kernel.elements.allSatisfy(\.isFinite)
            #expect(isFinite)
            let trace = (0..<11).reduce(0.0) { $0 + kernel[$1, $1] }
            let shifted = kernel.copy()
            shifted.addToDiagonal(1e-9 * trace)
            _ = try Cholesky(inPlace: shifted, on: SerialTiles())
        }
    }

    @Test(arguments: cases)
    func float32AgreesWithFloat64(item: Case) throws {
        let x = Self.points(item, 5, seed: 3)
        let y = Self.points(item, 4, seed: 4)
        let single = try AnalyticKernel(item.architecture, shape: item.shape).matrices(x, y, kinds: [.nngp, .ntk], as: Float.self)
        let own = try Self.kernels(item, x)
        for ((exact, rounded), own) in try zip(zip(Self.kernels(item, x, y), [#require(single.nngp), #require(single.ntk)]), own) {
            for i in 0..<5 { for j in 0..<4 { #expect(abs(Double(rounded[i, j]) - exact[i, j]) <= 1e-5 * own[i, i]) } }
        }
    }

    /// A symmetric computation and one of two sets agree, dropout apart, whose training points are their own.
    @Test(arguments: cases.filter { $0.name != "vector concat" })
    func withItselfIsTheSame(item: Case) throws {
        let x = Self.points(item, 5, seed: 5)
        for (same, cross) in try zip(Self.kernels(item, x), Self.kernels(item, x, x)) {
            for i in 0..<5 { for j in 0..<5 { #expect(abs(same[i, j] - cross[i, j]) <= 1e-7 * Self.scale(same, i, j)) } }
        }
    }

    @Test func repeatAndResidualAreTheirLongForms() throws {
        let block: [Layer] = [.relu, Self.conv(), .activation(.gelu(approximate: false)), Self.conv()]
        let x = Matrix.random(4, 40, seed: 6)
        func kernel(_ layers: [Layer]) throws -> [Double] {
            try #require(
                AnalyticKernel(.serial([Self.conv()] + layers + Self.pooled), shape: [5, 4, 2]).matrices(x, kinds: [.ntk], as: Double.self).ntk
            ).elements
        }
        let long: Layer = .serial([.fanOut(2), .parallel([.serial(block), .identity]), .fanInSum])
        let repeated = try kernel([.repeated(.residual(block), count: 2)])
        #expect(try repeated == kernel([.residual(block), .residual(block)]))
        #expect(try repeated == kernel([long, long]))
        let none = try kernel([.repeated(.serial(block), count: 0)])
        #expect(try none == kernel([]))
    }

    /// The average over an attention's outputs is found without them; with a layer between that changes nothing they are all computed.
    @Test(arguments: [
        SelfAttention(heads: 2),
        SelfAttention(biasStd: 0.3, mechanism: .abs, positionalEmbedding: .sum, positionalDecay: 0.1, embedsValues: true),
    ])
    func averagedAttentionIsTheAverageOfAttention(attention: SelfAttention) throws {
        let x = Matrix.random(4, 40, seed: 11)
        var elements = x.elements
        for channel in 0..<2 { elements[40 + 6 + channel] = .nan }
        for points in [x, Matrix(rows: 4, columns: 40, elements)] {
            func kernels(_ layers: [Layer]) throws -> [Matrix<Double>] {
                let kernel = try AnalyticKernel(
                    .serial([Self.conv(), .relu, Self.conv(), .selfAttention(attention)] + layers + Self.pooled), shape: [5, 4, 2])
                let result = try kernel.matrices(points, kinds: [.nngp, .ntk], as: Double.self)
                return [try #require(result.nngp), try #require(result.ntk)]
            }
            for (own, other) in zip(try kernels([]), try kernels([.pool(Pool(windowShape: [1, 1]))])) {
                for i in 0..<4 { for j in 0..<4 { #expect(abs(own[i, j] - other[i, j]) <= 1e-13 * Self.scale(other, i, j)) } }
            }
        }
    }

    @Test func circularNetworksDoNotSeeShifts() throws {
        let network = Layer.serial([Self.conv([3, 3], .circular), .relu, Self.conv([2, 3], .circular), .relu] + Self.pooled)
        let (height, width, channels) = (5, 4, 2)
        let x = Matrix.random(3, height * width * channels, seed: 7)
        let shifted = Matrix(
            (0..<3).map { point in
                (0..<height * width * channels).map { place in
                    let (row, column, channel) = (place / (width * channels), place / channels % width, place % channels)
                    return x[point, (((row + 2) % height) * width + (column + 3) % width) * channels + channel]
                }
            })
        let kernel = try AnalyticKernel(network, shape: [height, width, channels])
        let plain = try #require(kernel.matrices(x, kinds: [.ntk], as: Double.self).ntk)
        let moved = try #require(kernel.matrices(shifted, x, kinds: [.ntk], as: Double.self).ntk)
        for i in 0..<3 { for j in 0..<3 { #expect(abs(plain[i, j] - moved[i, j]) <= 1e-7 * Self.scale(plain, i, j)) } }
    }

    /// A frozen first layer passes on nothing of its own: Θ of the rest, on what it gives.
    @Test func frozenLayersDoNotCount() throws {
        let x = Matrix.random(5, 3, seed: 8)
        func ntk(_ trainable: [Bool]) throws -> Matrix<Double> {
            let layers = trainable.map { Layer.dense(Affine(weightStd: 1.3, biasStd: 0.4, isTrainable: $0)) }
            return try #require(
                AnalyticKernel(.serial([layers[0], .relu, layers[1], .erf, layers[2]]), features: 3).matrices(x, kinds: [.ntk], as: Double.self).ntk)
        }
        let all = try ntk([true, true, true])
        let parts = try [[true, false, false], [false, true, false], [false, false, true]].map { try ntk($0) }
        for place in 0..<25 {
            let sum = parts.reduce(0) { $0 + $1.elements[place] }
            #expect(abs(sum - all.elements[place]) <= 1e-14 * abs(all.elements[place]))
        }
        let none = try ntk([false, false, false])
        #expect(none.elements == [Double](repeating: 0, count: 25))
    }
}
