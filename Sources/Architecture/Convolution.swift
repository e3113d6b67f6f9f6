package import Activations
import LinearAlgebra

/// A convolution over all spatial axes, or a layer with its geometry.
///
/// An element of the output sums over a window of positions, `fan-in = channels · product of filterShape`, whether or not parts of the
/// window lie beyond the edge.
public struct Convolution: Sendable, Equatable {
    public enum Variant: String, Sendable, CaseIterable {
        /// The same filter at every position.
        case shared = "conv"
        /// A filter of its own at every position.
        case local = "conv_local"
        /// The geometry of the gradient of a convolution: with strides, the output is larger than the input.
        case transpose = "conv_transpose"
    }

    public var variant: Variant
    /// One entry for each spatial axis.
    public var filterShape: [Int]
    /// nil: 1 along every axis.
    public var strides: [Int]?
    public var padding: Padding
    public var affine: Affine

    public init(
        variant: Variant = .shared, filterShape: [Int], strides: [Int]? = nil, padding: Padding = .valid, affine: Affine = Affine()
    ) {
        self.variant = variant
        self.filterShape = filterShape
        self.strides = strides
        self.padding = padding
        self.affine = affine
    }
}

extension Convolution: LayerRule {
    package func compile(_ input: Int, into compiler: inout KernelCompiler, at path: String) throws(ArchitectureError) -> Int {
        var value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, variant.rawValue, at: path)
        try compiler.requireNumbered(value.spatial, at: path)
        let geometry = try compiler.located(path) { () throws(ArchitectureError) in try windows(over: value.spatial) }
        value.spatial = geometry.output
        let window = try compiler.append(.window(geometry.trimmed), [input], value, at: path)
        let output = try affine.append(to: &compiler, taps: geometry.positions, window, at: path)
        guard variant == .local else { return output }
        return try compiler.append(.isolate, [output], compiler.program.values[output], at: path)
    }

    package func compile(_ input: Int, into compiler: inout NetworkCompiler, at place: LayerPlace) throws(ArchitectureError) -> Int {
        let value = compiler.program.values[input]
        try compiler.requireSpatial(value.spatial, variant.rawValue, at: place.pointer)
        try compiler.requireNumbered(value.spatial, at: place.pointer)
        let geometry = try compiler.located(place.pointer) { () throws(ArchitectureError) in try windows(over: value.spatial) }
        let came = compiler.given?[place.parameter("weight")]
        let axis =
            switch variant {
            case .shared: 0
            case .transpose: 1
            case .local: value.spatial.count
            }
        let width = try affine.width(came.flatMap { axis < $0.count ? $0[axis] : nil }, in: compiler, at: place)
        let output = LayerProgram.Value(spatial: geometry.output, channels: width)
        let taps = geometry.size
        guard output.positions.multipliedClamped(by: taps) <= NetworkCompiler.maximumTable else {
            throw ArchitectureError(
                path: place.pointer,
                detail: "at most \(NetworkCompiler.maximumTable) positions · taps expected; here are \(output.positions) · \(taps)")
        }
        try compiler.meter.take(output.positions * taps * MemoryLayout<Int32>.stride, at: place.pointer)
        try compiler.meter.step(output.positions * taps, at: place.pointer)
        let (shape, layout, bias): ([Int], NetworkParameter.Layout, [Int])
        switch variant {
        case .shared:
            shape = [width, value.channels] + filterShape
            layout = .filter(lead: 1, out: width, in: value.channels, taps: taps)
            bias = [width]
        case .transpose:
            shape = [value.channels, width] + filterShape
            layout = .transposedFilter(out: width, in: value.channels, taps: taps)
            bias = [width]
        case .local:
            shape = geometry.output + [width, value.channels] + filterShape
            layout = .filter(lead: output.positions, out: width, in: value.channels, taps: taps)
            bias = geometry.output + [width]
        }
        return try affine.append(
            to: &compiler, input, output, taps: geometry.taps, window: taps, isLocal: variant == .local, weight: (shape, layout), bias: bias,
            at: place)
    }

    private func windows(over input: [Int]) throws(ArchitectureError) -> WindowGeometry {
        try WindowGeometry(
            input: input, window: filterShape, strides: strides, padding: padding, isTransposed: variant == .transpose, name: "filter_shape")
    }
}

extension WindowGeometry {
    /// For each output position and each tap the input position, -1 for none, all in row-major order.
    package var taps: [Int32] {
        // Axis by axis: an entry of the axes so far, and one of the next.
        var table: [Int32] = [0]
        var (positions, window) = (1, 1)
        for axis in axes {
            let own = (0..<axis.output).flatMap { position in (0..<axis.window).map { Int32(axis.source(position, $0) ?? -1) } }
            var next: [Int32] = []
            next.reserveCapacity(table.count * own.count)
            for outer in 0..<positions {
                for inner in 0..<axis.output {
                    for tap in 0..<window {
                        let first = table[outer * window + tap]
                        for second in own[inner * axis.window..<(inner + 1) * axis.window] {
                            next.append(first < 0 || second < 0 ? -1 : first * Int32(axis.input) + second)
                        }
                    }
                }
            }
            table = next
            (positions, window) = (positions * axis.output, window * axis.window)
        }
        return table
    }
}
