internal import TensorFormats

/// Times reading and writing of large arrays as JSON beside copying the same bytes, on one core, in one run.
@main
struct CodecBenchmark {
    static func main() throws {
        var generator = SplitMix64(state: 1)
        let inputs = (0..<2000 * 784).map { _ in Double.random(in: -1...1, using: &generator) }
        let outputs = (0..<4_000_000).map { _ in Double.random(in: 0...2, using: &generator) }
        let singles = outputs.map(Float.init)
        let small = (0..<2000 * 784).map { _ in Double(Int.random(in: 0...255, using: &generator)) }

        print("array                          what          MB    ms     MB/s   of copying")
        try report("float64 [2000][784]", inputs, columns: 784)
        try report("integers 0...255 [2000][784]", small, columns: 784)
        try report("float64 [2000][2000]", outputs, columns: 2000)
        try report("float32 [2000][2000]", singles, columns: 2000)
    }

    private static func report<Number: JSONFloat>(_ name: String, _ numbers: [Number], columns: Int) throws {
        var text: [UInt8] = []
        let whole = try encode(numbers, columns: columns) { text += $0 }
        text.reserveCapacity(whole + JSONValue.padding)
        let copying = best { blackHole(copy(text)) }
        let parsing = try best { blackHole(try JSONValue.parse(text)) }
        let writing = try best { blackHole(try encode(numbers, columns: columns) { blackHole($0) }) }
        line(name, "copy", whole, copying, copying)
        line(name, "parse", whole, parsing, copying)
        line(name, "write", whole, writing, copying)
    }

    /// Writes the array as the server does: in pieces of about 256 kB that are given away as they are full.
    private static func encode<Number: JSONFloat>(_ numbers: [Number], columns: Int, _ take: ([UInt8]) -> Void) throws -> Int {
        let rowsEach = max(1, 16_384 / columns)
        var total = 0
        take([UInt8(ascii: "[")])
        for start in stride(from: 0, to: numbers.count, by: rowsEach * columns) {
            var json = JSONWriter()
            let end = min(start + rowsEach * columns, numbers.count)
            json.reserve(numbers: end - start)
            try json.rows(numbers.span.extracting(start..<end), columns: columns)
            if start > 0 { take([UInt8(ascii: ",")]) }
            take(json.bytes)
            total += json.bytes.count + 1
        }
        take([UInt8(ascii: "]")])
        return total + 1
    }

    @inline(never)
    private static func copy(_ text: [UInt8]) -> [UInt8] {
        var copy = text
        copy[0] = text[0]
        return copy
    }

    private static func best(_ body: () throws -> Void) rethrows -> Duration {
        let clock = ContinuousClock()
        return try (0..<7).map { _ in try clock.measure(body) }.min() ?? .zero
    }

    private static func line(_ name: String, _ what: String, _ bytes: Int, _ time: Duration, _ copying: Duration) {
        let megabytes = Double(bytes) / 1e6
        let columns = [
            (name, 31), (what, 8), (rounded(megabytes), 8), (rounded(time / .milliseconds(1)), 7),
            (rounded(megabytes / (time / .seconds(1))), 9), (rounded(100 * (copying / time)) + " %", 0),
        ]
        print(columns.map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }.joined())
    }

    private static func rounded(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}

/// Keeps the optimiser from dropping what is timed.
@inline(never)
func blackHole<Value>(_ value: Value) {}

/// A small generator with a seed, so that every run times the same numbers.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
