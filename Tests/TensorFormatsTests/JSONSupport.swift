import TensorFormats

/// A generator with a seed, which a failing test prints.
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64 = .random(in: 0...UInt64.max)) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

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
