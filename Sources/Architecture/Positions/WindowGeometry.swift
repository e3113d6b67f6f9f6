public import Activations
import LinearAlgebra

/// Which positions a window finds along one axis: output position o and tap k see the input position `source(o, k)`, or nothing.
public struct WindowAxis: Sendable, Hashable {
    public let input: Int
    public let output: Int
    public let window: Int
    public let stride: Int
    /// Positions before the first one that the window of output 0 begins at.
    package let low: Int
    /// Beyond the edge comes the other side, not nothing.
    public let wraps: Bool
    /// Strides belong to the input: the geometry of a convolution's gradient.
    public let isTransposed: Bool
    /// The tap in the middle of the window as it was asked for.
    package let middle: Int

    package init(input: Int, output: Int, window: Int, stride: Int, low: Int, wraps: Bool, isTransposed: Bool, middle: Int? = nil) {
        self.input = input
        self.output = output
        self.window = window
        self.stride = stride
        self.low = low
        self.wraps = wraps
        self.isTransposed = isTransposed
        self.middle = middle ?? (window - 1) / 2
    }

    public func source(_ position: Int, _ tap: Int) -> Int? {
        if isTransposed {
            var scaled = position + tap - low
            if wraps { scaled = ((scaled % (input * stride)) + input * stride) % (input * stride) }
            guard scaled >= 0, scaled % stride == 0, scaled / stride < input else { return nil }
            return scaled / stride
        }
        let place = position * stride + tap - low
        if place >= 0 && place < input { return place }
        return wraps ? ((place % input) + input) % input : nil
    }

    /// The input position under the middle of a window, whose mask the output takes.
    public func center(_ position: Int) -> Int? {
        source(position, middle)
    }

    /// The taps that find anything at one output position or another: windows may be a million times as wide as what they slide over.
    private var usefulTaps: ClosedRange<Int> {
        guard !wraps else { return 0...window - 1 }
        // Positions of the (spread) input that the first tap of the last window has passed, and the last input position.
        let passed = (output - 1) * (isTransposed ? 1 : stride)
        let last = isTransposed ? (input - 1) * stride : input - 1
        let first = min(max(low - passed, 0), window - 1)
        return first...max(min(low + last, window - 1), first)
    }

    /// The same without taps that never find anything.
    package var trimmed: WindowAxis {
        let taps = usefulTaps
        guard taps.count < window else { return self }
        return WindowAxis(
            input: input, output: output, window: taps.count, stride: stride, low: low - taps.lowerBound, wraps: wraps, isTransposed: isTransposed,
            middle: middle - taps.lowerBound)
    }
}

/// What a window finds beyond the edge.
public enum Padding: String, Sendable, CaseIterable {
    /// Windows stay inside.
    case valid
    /// Zeros, as many as make the output ⌈size / stride⌉ long; the odd one at the end.
    case same
    /// As many as with `same`, taken from the other side.
    case circular
}

/// The windows of a convolution or a pool over all spatial axes.
public struct WindowGeometry: Sendable, Hashable {
    public let axes: [WindowAxis]
    /// Positions in a window, those beyond the edge too. Not an integer: a window on a small input may have 2^80.
    package let positions: Double

    public var output: [Int] { axes.map(\.output) }
    /// Positions in a window, or the largest integer where there are more.
    public var size: Int { axes.lazy.map(\.window).clampedProduct }

    /// For each output position the input position under the middle of its window, both in row-major order.
    package func forEachCenter(_ body: (Int?) -> Void) {
        forEachIndex(output) { index in
            var place: Int? = 0
            for (axis, position) in zip(axes, index) {
                place = place.flatMap { place in axis.center(position).map { place * axis.input + $0 } }
            }
            body(place)
        }
    }

    /// Which outputs are masked: those whose middle is.
    package func masked(_ inputs: [Bool]) -> [Bool] {
        var result: [Bool] = []
        result.reserveCapacity(output.clampedProduct)
        forEachCenter { result.append($0.map { inputs[$0] } ?? false) }
        return result
    }

    private init(axes: [WindowAxis], positions: Double) {
        self.axes = axes
        self.positions = positions
    }

    /// The same sums without taps that find nothing at any output position.
    package var trimmed: WindowGeometry { WindowGeometry(axes: axes.map(\.trimmed), positions: positions) }

    /// - Parameters:
    ///   - input: extents of the spatial axes.
    ///   - name: what the architecture calls the window's field, for errors.
    /// - Throws: if there are as many extents as axes not, or a window is larger than its input.
    public init(
        input: [Int], window: [Int], strides: [Int]?, padding: Padding, isTransposed: Bool = false, name: String
    ) throws(ArchitectureError) {
        guard window.count == input.count else {
            throw ArchitectureError(
                path: "/" + name, detail: "\(input.count) extents expected, one for each spatial axis of \(input); \(window.count) came")
        }
        guard strides == nil || strides?.count == input.count else {
            throw ArchitectureError(
                path: "/strides", detail: "\(input.count) strides expected, one for each spatial axis of \(input); \(strides?.count ?? 0) came")
        }
        var axes: [WindowAxis] = []
        for (index, size) in input.enumerated() {
            let stride = strides?[index] ?? 1
            let window = window[index]
            guard window >= 1, window <= 1 << 20 else {
                throw ArchitectureError(path: "/\(name)/\(index)", detail: "an extent from 1 to 1048576 expected")
            }
            guard stride >= 1, stride <= 1 << 20 else {
                throw ArchitectureError(path: "/strides/\(index)", detail: "a stride from 1 to 1048576 expected")
            }
            // Extents, windows and strides are multiplied: none may overflow.
            guard size <= 1 << 32 else {
                throw ArchitectureError(path: "/\(name)/\(index)", detail: "an axis of at most 2^32 positions expected; this one has \(size)")
            }
            let axis =
                isTransposed
                ? Self.transposed(size, window, stride, padding) : Self.plain(size, window, stride, padding)
            guard axis.output >= 1 else {
                throw ArchitectureError(
                    path: "/\(name)/\(index)", detail: "a window of at most \(size) expected, as its axis has \(size) positions; \(window) came")
            }
            axes.append(axis)
        }
        self.init(axes: axes, positions: window.reduce(1) { $0 * Double($1) })
    }

    /// As XLA pads: `same` gives ⌈size / stride⌉ positions, with the smaller half of the padding before.
    private static func plain(_ size: Int, _ window: Int, _ stride: Int, _ padding: Padding) -> WindowAxis {
        switch padding {
        case .valid:
            let output = size >= window ? (size - window) / stride + 1 : 0
            return WindowAxis(input: size, output: output, window: window, stride: stride, low: 0, wraps: false, isTransposed: false)
        case .same, .circular:
            let output = (size + stride - 1) / stride
            let total = max((output - 1) * stride + window - size, 0)
            return WindowAxis(
                input: size, output: output, window: window, stride: stride, low: total / 2, wraps: padding == .circular, isTransposed: false)
        }
    }

    /// As `lax.conv_transpose`: the input with stride − 1 zeros between its positions, padded.
    private static func transposed(_ size: Int, _ window: Int, _ stride: Int, _ padding: Padding) -> WindowAxis {
        let valid = (size - 1) * stride + 1 + (window + stride - 2 + max(window - stride, 0)) - window + 1
        switch padding {
        case .valid:
            return WindowAxis(
                input: size, output: valid, window: window, stride: stride, low: window - 1, wraps: false, isTransposed: true)
        case .same:
            let low = stride > window - 1 ? window - 1 : (window + stride - 2 + 1) / 2
            return WindowAxis(
                input: size, output: size * stride, window: window, stride: stride, low: low, wraps: false, isTransposed: true)
        case .circular:
            // The valid result folded to size · stride positions, and cut so that its middle stays in place.
            let crop = max(valid - size * stride, 0) / 2
            return WindowAxis(
                input: size, output: size * stride, window: window, stride: stride, low: window - 1 - crop, wraps: true, isTransposed: true)
        }
    }
}
