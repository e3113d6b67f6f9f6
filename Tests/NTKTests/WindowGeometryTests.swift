import Activations
import Testing

@testable import Architecture

/// Which positions windows see, against the arrays that XLA pads and spreads.
struct WindowGeometryTests {
    struct Case: CustomTestStringConvertible {
        var size, window, stride: Int
        var testDescription: String { "\(window) over \(size) by \(stride)" }
    }

    static let cases = (1...7).flatMap { size in (1...6).flatMap { window in (1...4).map { Case(size: size, window: window, stride: $0) } } }

    private func axis(_ each: Case, _ padding: Padding, isTransposed: Bool = false) throws -> WindowAxis {
        try WindowGeometry(
            input: [each.size], window: [each.window], strides: [each.stride], padding: padding, isTransposed: isTransposed, name: "filter_shape"
        ).axes[0]
    }

    /// Windows of an array of positions, each beginning `stride` after the one before.
    private func windows(_ array: [Int?], _ window: Int, _ stride: Int) -> [[Int?]] {
        Swift.stride(from: 0, through: array.count - window, by: stride).map { Array(array[$0..<$0 + window]) }
    }

    private func seen(_ axis: WindowAxis) -> [[Int?]] {
        (0..<axis.output).map { output in (0..<axis.window).map { axis.source(output, $0) } }
    }

    private func padded(_ inner: [Int?], _ low: Int, _ high: Int) -> [Int?] {
        [Int?](repeating: nil, count: low) + inner + [Int?](repeating: nil, count: high)
    }

    @Test(arguments: cases) func validWindowsStayInside(each: Case) throws {
        guard each.window <= each.size else {
            #expect(throws: ArchitectureError.self) { try axis(each, .valid) }
            return
        }
        #expect(try seen(axis(each, .valid)) == windows((0..<each.size).map { $0 }, each.window, each.stride))
    }

    /// ⌈size / stride⌉ windows; of the padding that this takes the smaller half stands before.
    @Test(arguments: cases) func sameWindowsArePaddedOnBothSides(each: Case) throws {
        let count = (each.size + each.stride - 1) / each.stride
        let padding = max((count - 1) * each.stride + each.window - each.size, 0)
        let array = padded((0..<each.size).map { $0 }, padding / 2, padding - padding / 2)
        #expect(try seen(axis(each, .same)) == Array(windows(array, each.window, each.stride).prefix(count)))
    }

    /// With the same places as `same`, modulo the size: no window sees nothing, and by strides of 1 every position is seen as often as every other.
    @Test(arguments: cases) func circularWindowsWrap(each: Case) throws {
        let (same, circular) = (try axis(each, .same), try axis(each, .circular))
        #expect(circular.output == same.output)
        for (one, other) in zip(seen(same), seen(circular)) {
            for (inside, wrapped) in zip(one, other) {
                let wrapped = try #require(wrapped)
                #expect(inside == nil || inside == wrapped)
            }
            for (left, right) in zip(other, other.dropFirst()) { #expect(try (#require(left) + 1) % each.size == #require(right)) }
        }
        guard each.stride == 1 else { return }
        for position in 0..<each.size { #expect(seen(circular).joined().count { $0 == position } == each.window) }
    }

    /// A transposed convolution is the transpose of the convolution that has its output for an input, the taps in reverse.
    @Test(arguments: cases) func transposedWindowsAreTheTranspose(each: Case) throws {
        let transposed = try axis(each, .valid, isTransposed: true)
        let plain = try axis(Case(size: transposed.output, window: each.window, stride: each.stride), .valid)
        #expect(plain.output == each.size)
        var (forward, backward) = (Set<[Int]>(), Set<[Int]>())
        for output in 0..<plain.output {
            for tap in 0..<each.window { try forward.insert([#require(plain.source(output, tap)), output, tap]) }
        }
        for output in 0..<transposed.output {
            for tap in 0..<each.window {
                if let source = transposed.source(output, tap) { backward.insert([output, source, each.window - 1 - tap]) }
            }
        }
        #expect(forward == backward)
    }

    /// As `lax.conv_transpose`: the input with stride − 1 gaps between its positions, padded to size · stride outputs.
    @Test(arguments: cases) func transposedSameWindowsSlideOverASpreadInput(each: Case) throws {
        var spread: [Int?] = []
        for position in 0..<each.size { spread += [position] + [Int?](repeating: nil, count: position + 1 < each.size ? each.stride - 1 : 0) }
        let padding = each.window + each.stride - 2
        let low = each.stride > each.window - 1 ? each.window - 1 : (padding + 1) / 2
        let expected = windows(padded(spread, low, max(padding - low, 0)), each.window, 1)
        #expect(expected.count == each.size * each.stride)
        #expect(try seen(axis(each, .same, isTransposed: true)) == expected)
    }

    @Test(arguments: cases) func transposedCircularWindowsSeeEveryPositionEquallyOften(each: Case) throws {
        let axis = try axis(each, .circular, isTransposed: true)
        #expect(axis.output == each.size * each.stride)
        for position in 0..<each.size { #expect(seen(axis).joined().count { $0 == position } == each.window) }
    }

    /// Without taps that never find anything the windows see the same, and have the same middle.
    @Test(arguments: Padding.allCases, [false, true]) func trimmedWindowsSeeTheSame(padding: Padding, isTransposed: Bool) throws {
        let wide = [Case(size: 2, window: 9, stride: 1), Case(size: 3, window: 20, stride: 2), Case(size: 1, window: 300, stride: 3)]
        for each in Self.cases + (padding == .circular ? [] : wide) {
            guard let axis = try? axis(each, padding, isTransposed: isTransposed) else { continue }
            let trimmed = axis.trimmed
            #expect(trimmed.window <= axis.window && trimmed.output == axis.output)
            if !axis.wraps { #expect(trimmed.window <= axis.input * axis.stride + axis.output * axis.stride) }
            for output in 0..<axis.output {
                #expect(trimmed.center(output) == axis.center(output), "\(each)")
                #expect(
                    (0..<trimmed.window).compactMap { trimmed.source(output, $0) } == (0..<axis.window).compactMap { axis.source(output, $0) },
                    "\(each)")
            }
        }
    }

    @Test func aMaskIsThatOfTheMiddle() throws {
        let geometry = try WindowGeometry(input: [2, 3], window: [1, 3], strides: nil, padding: .valid, name: "filter_shape")
        #expect(geometry.output == [2, 1] && geometry.size == 3)
        #expect(geometry.masked([true, false, true, false, true, false]) == [false, true])
    }

    @Test func whatDoesNotFitIsRefused() {
        func fault(_ input: [Int], _ window: [Int], _ strides: [Int]?, isTransposed: Bool = false) -> String? {
            do throws(ArchitectureError) {
                _ = try WindowGeometry(
                    input: input, window: window, strides: strides, padding: .valid, isTransposed: isTransposed, name: "filter_shape")
                return nil
            } catch {
                return error.path
            }
        }
        #expect(fault([4, 4], [3], nil) == "/filter_shape")
        #expect(fault([4, 4], [3, 3], [1]) == "/strides")
        #expect(fault([4, 4], [3, 5], nil) == "/filter_shape/1")
        #expect(fault([4], [0], nil) == "/filter_shape/0")
        #expect(fault([4], [3], [0]) == "/strides/0")
        #expect(fault([4], [(1 << 20) + 1], nil, isTransposed: true) == "/filter_shape/0")
        #expect(fault([(1 << 32) + 1], [1], nil) == "/filter_shape/0")
        #expect(fault([1 << 32], [1 << 20], [1 << 20], isTransposed: true) == nil)
    }
}
