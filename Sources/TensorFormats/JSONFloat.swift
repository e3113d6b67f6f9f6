internal import CSimdJSON

/// A number that JSON cannot say: infinite, or not a number.
package struct NotFiniteError: Error, Sendable, Equatable {
    /// Where it stands among the numbers that were to be written.
    package var index: Int

    package init(index: Int) { self.index = index }
}

/// The number types that are written in their own shortest decimal digits.
package protocol JSONFloat: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// Writes numbers with commas between them to `out`, which has room for `count * jsonSize` bytes; returns the bytes written. Stops at
    /// a number that is not finite: `written` is the count of numbers before it.
    @unsafe static func writeJSON(_ values: UnsafePointer<Self>, _ count: Int, _ out: UnsafeMutablePointer<UInt8>, _ written: inout Int) -> Int
}

extension JSONFloat {
    /// Most bytes that a number and a comma take.
    static var jsonSize: Int { Int(NTK_JSON_NUMBER_SIZE) }
}

extension Double: JSONFloat {
    @unsafe package static func writeJSON(
        _ values: UnsafePointer<Double>, _ count: Int, _ out: UnsafeMutablePointer<UInt8>, _ written: inout Int
    ) -> Int {
        unsafe ntk_json_write_f64(values, count, out, &written)
    }
}

extension Float: JSONFloat {
    @unsafe package static func writeJSON(
        _ values: UnsafePointer<Float>, _ count: Int, _ out: UnsafeMutablePointer<UInt8>, _ written: inout Int
    ) -> Int {
        unsafe ntk_json_write_f32(values, count, out, &written)
    }
}
