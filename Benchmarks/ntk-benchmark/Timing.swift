import Foundation

/// The median time of `repetitions` calls, in seconds, after one that does not count.
func medianSeconds(repetitions: Int = 7, _ body: () throws -> Void) rethrows -> Double {
    try body()
    var times: [Double] = []
    for _ in 0..<repetitions {
        let start = DispatchTime.now().uptimeNanoseconds
        try body()
        times.append(Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
    }
    return times.sorted()[repetitions / 2]
}

/// A generator whose numbers are the same in every run.
struct FixedGenerator: RandomNumberGenerator {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next() -> UInt64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func row(_ name: String, _ seconds: Double, _ beside: String, _ limit: Double) {
    let milliseconds = String(format: "%.1f", seconds * 1e3)
    print("| \(name) | \(milliseconds) ms | \(beside) \(String(format: "%.1f", limit * 1e3)) ms | \(String(format: "%.2f", seconds / limit)) × |")
}
