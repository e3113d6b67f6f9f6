internal import Locks
internal import TensorFormats

/// What a JSON text takes once it is read, beside itself, and the limits within which that is true.
///
/// Numbers of arrays take eight bytes each, other values some hundreds. To know how many of those a text has is to parse it; most have few, and
/// no more than their quotes suggest.
struct JSONDemand {
    /// How much a text is thought to hold that is not in arrays of numbers.
    struct Guess: Sendable {
        static let few = Guess(isMost: false, counts: nil)
        /// Whatever it can hold.
        static let most = Guess(isMost: true, counts: nil)

        let isMost: Bool
        fileprivate let counts: KnownCounts?

        /// The same for the texts of one body, each of which is counted once.
        var remembering: Guess { Guess(isMost: isMost, counts: counts ?? KnownCounts()) }
        /// Most, of the same texts.
        var asMost: Guess { Guess(isMost: true, counts: counts) }
        /// The same for texts that are not slices of that body.
        var forElsewhere: Guess { Guess(isMost: isMost, counts: nil) }
    }

    /// What was counted in the slices of one body.
    fileprivate final class KnownCounts: Sendable {
        typealias Counts = (commas: Int, brackets: Int, quotes: Int)

        private let known = Lock([Range<Int>: Counts]())

        subscript(_ text: ArraySlice<UInt8>) -> Counts {
            if let counts = known.withLock({ $0[text.startIndex..<text.endIndex] }) { return counts }
            let counts = JSONValue.counts(text)
            known.withLock { $0[text.startIndex..<text.endIndex] = (counts.commas, counts.brackets, counts.quotes) }
            return (counts.commas, counts.brackets, counts.quotes)
        }
    }

    /// A number: eight bytes, and while it is read the places where it and its comma begin.
    private static let numberBytes = 16
    /// A bracket: its places, and the extents of the array that it may begin.
    private static let bracketBytes = 24
    private static let valueBytes = 200
    /// A byte of a string: copied twice, the first time into memory that grows.
    private static let copies = 3
    /// What is allowed without a sign of it.
    private static let (fewValues, fewText) = (1_024, 16 * 1024)
    /// Bytes of a string that need no more of the text than its quotes say.
    private static let textPerQuote = 32

    let limits: JSONLimits
    let bytes: Int

    /// The limits of a text without a look at it where nothing is guessed.
    static func limits(_ text: ArraySlice<UInt8>, _ guess: Guess) -> JSONLimits {
        guess.isMost ? JSONDemand(size: text.count, guess).limits : JSONDemand(text, guess).limits
    }

    init(_ text: ArraySlice<UInt8>, _ guess: Guess) {
        let counts = guess.counts?[text] ?? KnownCounts()[text]
        self.init(size: text.count, commas: counts.commas, brackets: counts.brackets, quotes: counts.quotes, guess)
    }

    /// Of a text that is not there yet.
    init(size: Int, _ guess: Guess) { self.init(size: size, commas: size / 2, brackets: size / 2, quotes: size / 8, guess) }

    private init(size: Int, commas: Int, brackets: Int, quotes: Int, _ guess: Guess) {
        var limits = JSONLimits()
        // A value and its comma are two bytes at least.
        limits.values = min(limits.values, size / 2 + 1)
        limits.text = size
        if !guess.isMost {
            limits.values = min(limits.values, Self.fewValues + quotes)
            limits.text = min(limits.text, Self.fewText + Self.textPerQuote * quotes)
        }
        self.limits = limits
        bytes =
            (commas + 1) * Self.numberBytes + brackets * Self.bracketBytes + limits.values * Self.valueBytes + limits.text * Self.copies
    }
}
