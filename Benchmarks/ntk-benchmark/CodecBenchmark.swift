import TensorFormats

/// JSON of matrices on one core, beside a copy of the same bytes.
enum CodecBenchmark {
    static func run() throws {
        var generator = FixedGenerator()
        let numbers = (0..<4_000_000).map { _ in Double.random(in: -1...1, using: &generator) }
        print("| JSON of float64, one core | speed | copy | \n|---|---|---|")

        var written = 0
        let seconds = try medianSeconds(repetitions: 3) {
            written = 0
            // In pieces, as an answer is written.
            for start in stride(from: 0, to: numbers.count, by: 16_000) {
                var piece = JSONWriter()
                piece.reserve(numbers: 16_000)
                try piece.rows(numbers.span.extracting(start..<start + 16_000), columns: 2_000)
                written += piece.bytes.count
            }
        }
        speed("write 2000 × 2000", bytes: written, seconds)

        var json = JSONWriter()
        json.beginArray()
        try json.rows(numbers.span.extracting(0..<2_000 * 784), columns: 784)
        json.endArray()
        var text = json.bytes
        text.reserveCapacity(text.count + JSONValue.padding)
        let parsing = try medianSeconds(repetitions: 5) {
            guard case .tensor(let array) = try JSONValue.parse(text) else { throw JSONError(.shape, at: "", "a tensor expected") }
            precondition(array.shape == [2_000, 784])
        }
        speed("parse 2000 × 784", bytes: text.count, parsing)
    }

    private static func speed(_ name: String, bytes: Int, _ seconds: Double) {
        let source = [UInt8](repeating: 7, count: bytes)
        var target = [UInt8](repeating: 0, count: bytes)
        let copy = medianSeconds { target.replaceSubrange(0..<bytes, with: source) }
        print("| \(name), \(bytes / 1_000_000) MB | \(Int(Double(bytes) / seconds / 1e6)) MB/s | \(Int(Double(bytes) / copy / 1e6)) MB/s |")
    }
}
