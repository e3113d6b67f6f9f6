import Foundation
import LinearAlgebra

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
    private var generator = SplitMix64(seed: 0x9E37_79B9_7F4A_7C15)

    mutating func next() -> UInt64 { generator.next() }
}

func row(_ name: String, _ seconds: Double, _ beside: String, _ limit: Double) {
    let milliseconds = String(format: "%.1f", seconds * 1e3)
    print("| \(name) | \(milliseconds) ms | \(beside) \(String(format: "%.1f", limit * 1e3)) ms | \(String(format: "%.2f", seconds / limit)) × |")
}
