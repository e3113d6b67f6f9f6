import TensorFormats
import TestSupport

extension SeededGenerator {
    /// Any finite number: every sign, exponent and mantissa is as likely as the next.
    mutating func finite() -> Double {
        while true {
            let value = Double(bitPattern: next())
            if value.isFinite { return value }
        }
    }

    mutating func finiteSingle() -> Float {
        while true {
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: next()))
            if value.isFinite { return value }
        }
    }
}

func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
    try JSONValue.parse(Array(text.utf8), limits: limits)
}

/// The array that stands at `/x` of a request.
func array(_ text: String) throws(JSONError) -> NumericArray {
    try parse(text).numericArray(at: "/x")
}

/// The error that a text or the array in it is refused with.
func fault(_ text: String, limits: JSONLimits = JSONLimits()) -> JSONError? {
    do throws(JSONError) {
        _ = try parse(text, limits: limits).numericArray(at: "/x")
        return nil
    } catch {
        return error
    }
}
