import LinearAlgebra
import Synchronization
import TensorFormats
import TestSupport
import Testing

/// Large arrays are read row by row on several threads; here all that can be.
struct JSONRowsTests {
    /// Threads that count how often they are asked, and that may leave out some of the work, as cancelled ones do.
    private final class Threads: TileExecutor {
        let calls = Atomic(0)
        let isCancelled: Bool

        init(isCancelled: Bool = false) { self.isCancelled = isCancelled }

        func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
            calls.add(1, ordering: .relaxed)
            try ConcurrentTiles().forEach(count) { [isCancelled] index in
                if isCancelled && index > 0 { throw CancellationError() }
                try body(index)
            }
        }
    }

    private func outcome(_ text: [UInt8], on threads: Threads?) -> Result<NumericArray, JSONError> {
        do throws(JSONError) {
            return .success(try JSONValue.parse(text, on: threads, leastTokens: 1).numericArray(at: ""))
        } catch {
            return .failure(error)
        }
    }

    private func isSame(_ one: Result<NumericArray, JSONError>, _ other: Result<NumericArray, JSONError>) -> Bool {
        switch (one, other) {
        case (.success(let one), .success(let other)):
            one.shape == other.shape && one.hasNulls == other.hasNulls && one.elements.map(\.bitPattern) == other.elements.map(\.bitPattern)
        case (.failure(let one), .failure(let other)): one.kind == other.kind && one.pointer == other.pointer && one.detail == other.detail
        default: false
        }
    }

    private func text(_ shape: ArraySlice<Int>, _ generator: inout SeededGenerator) -> String {
        let space = ["", "", "", " ", "\n\t"].randomElement(using: &generator) ?? ""
        guard let extent = shape.first else {
            return space
                + (["null", "7", "0", "1e3"].randomElement(using: &generator).flatMap { generator.next() % 4 == 0 ? $0 : nil }
                    ?? "\(generator.finite())")
        }
        return space + "[" + (0..<extent).map { _ in text(shape.dropFirst(), &generator) }.joined(separator: space + ",") + space + "]"
    }

    @Test func arraysAreTheSame() {
        var generator = SeededGenerator()
        for _ in 0..<500 {
            let shape = (0..<Int.random(in: 2...4, using: &generator)).map { _ in Int.random(in: 1...6, using: &generator) }
            let text = Array(text(shape[...], &generator).utf8)
            let threads = Threads()
            let read = outcome(text, on: threads)
            #expect(isSame(read, outcome(text, on: nil)), "seed \(generator.seed): \(shape)")
            #expect((try? read.get().shape) == shape, "seed \(generator.seed)")
            #expect(threads.calls.load(ordering: .relaxed) == 1, "seed \(generator.seed): \(shape)")
        }
    }

    /// Rows that are not alike, are no rows, or are not JSON: what came of it without threads.
    @Test func damagedArraysAreTheSame() {
        var generator = SeededGenerator()
        let alphabet = Array("{}[]\",: 0-.e1n".utf8)
        for _ in 0..<3_000 {
            let shape = (0..<Int.random(in: 1...4, using: &generator)).map { _ in Int.random(in: 0...4, using: &generator) }
            var text = Array(text(shape[...], &generator).utf8)
            let place = Int.random(in: 0..<text.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: text[place] = alphabet.randomElement(using: &generator) ?? 0
            case 1: text.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
            default: text.remove(at: place)
            }
            let (read, expected) = (outcome(text, on: Threads()), outcome(text, on: nil))
            #expect(isSame(read, expected), "seed \(generator.seed): \(String(decoding: text, as: UTF8.self))")
        }
    }

    /// The third row has as many tokens as the others, and behind them begins another array.
    @Test(.timeLimit(.minutes(1)), arguments: ["[[[1,2],[3,4]],[[5,6,[[7,8]]]", "[[[1,2],[3,4]],[[5,6,7[8,9]]]]", "[[[1],[2]],[[,[[4]]]"])
    func rowsThatDoNotEnd(text: String) {
        #expect(isSame(outcome(Array(text.utf8), on: Threads()), outcome(Array(text.utf8), on: nil)))
    }

    @Test func workThatIsLeftOutIsDone() {
        var generator = SeededGenerator()
        let text = Array(text([9, 3], &generator).utf8)
        #expect(isSame(outcome(text, on: Threads(isCancelled: true)), outcome(text, on: nil)))
    }
}
