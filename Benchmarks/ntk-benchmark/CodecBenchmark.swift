import TensorFormats

/// JSON of matrices on one core, read and written, each beside a copy of the same bytes in the same run.
enum CodecBenchmark {
    static func run() throws {
        var generator = FixedGenerator()
        let points = (0..<2_000 * 784).map { _ in Double.random(in: -1...1, using: &generator) }
        let pixels = (0..<2_000 * 784).map { _ in Double(Int.random(in: 0...255, using: &generator)) }
        let kernel = (0..<4_000_000).map { _ in Double.random(in: 0...2, using: &generator) }

        print("| JSON, one core | size | read | write | copy |\n|---|---|---|---|---|")
        try row("float64, 2000 × 784", points, columns: 784)
        try row("float64, 2000 × 2000", kernel, columns: 2_000)
        try row("float32, 2000 × 2000", kernel.map { Float($0) }, columns: 2_000)
        try row("0…255, 2000 × 784", pixels, columns: 784)
    }

    private static func row<Number: JSONFloat>(_ name: String, _ numbers: [Number], columns: Int) throws {
        var written = 0
        let writing = try medianSeconds(repetitions: 5) {
            written = try write(numbers, columns: columns)
        }

        var json = JSONWriter()
        json.beginArray()
        try json.rows(numbers.span, columns: columns)
        json.endArray()
        var text = json.bytes
        text.reserveCapacity(text.count + JSONValue.padding)
        let reading = try medianSeconds(repetitions: 5) {
            guard case .tensor(let array) = try JSONValue.parse(text) else { throw JSONError(.shape, at: "", "a tensor expected") }
            precondition(array.shape == [numbers.count / columns, columns])
        }

        var target = [UInt8](repeating: 0, count: text.count)
        let copying = medianSeconds { target.replaceSubrange(0..<target.count, with: text) }
        let speeds = [reading, writing, copying].map { "\(Int(Double(text.count) / $0 / 1e6)) MB/s" }
        print("| \(name) | \(text.count / 1_000_000) MB | \(speeds.joined(separator: " | ")) |")
        precondition(abs(written - text.count) < 3)
    }

    /// In pieces, as an answer is written.
    private static func write<Number: JSONFloat>(_ numbers: [Number], columns: Int) throws -> Int {
        var written = 0
        let rowsEach = max(1, 16_000 / columns)
        for start in stride(from: 0, to: numbers.count, by: rowsEach * columns) {
            let end = min(start + rowsEach * columns, numbers.count)
            var piece = JSONWriter()
            piece.reserve(numbers: end - start)
            try piece.rows(numbers.span.extracting(start..<end), columns: columns)
            written += piece.bytes.count + 1
        }
        return written
    }
}
