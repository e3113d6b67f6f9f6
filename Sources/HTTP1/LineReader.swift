/// Finds lines in bytes that come in pieces. It keeps no more of an unfinished line than the caller's limit.
struct LineReader: Sendable {
    enum Outcome: Equatable {
        /// All input is taken; the line goes on.
        case unfinished
        /// The whole line lies in the input, here, without its CRLF.
        case inInput(Range<Int>)
        /// The line came in pieces: `take()` gives it, without its CRLF.
        case held
        /// The line ends in LF without CR.
        case bareLineFeed
        /// The line is longer than the limit, whether or not its end has come.
        case tooLong
    }

    private var held: [UInt8] = []

    /// Whether a line has begun and not ended.
    var isInsideLine: Bool { !held.isEmpty }

    /// Moves `offset` behind the next line, if its end has come.
    ///
    /// The outcome depends on the bytes only, not on how they were cut: the length is judged before anything else, and an unfinished line is too
    /// long only when every way to finish it is.
    mutating func next(_ input: Span<UInt8>, at offset: inout Int, limit: Int) -> Outcome {
        let start = offset
        guard let end = input.firstIndex(of: Octet.lineFeed, from: start) else {
            // One octet more than the limit may still turn out to be the CR.
            guard held.count + (input.count - start) <= limit + 1 else { return .tooLong }
            hold(input, start..<input.count)
            offset = input.count
            return .unfinished
        }
        offset = end + 1
        if held.isEmpty {
            let hasReturn = end > start && input[end - 1] == Octet.carriageReturn
            let content = start..<(hasReturn ? end - 1 : end)
            if content.count > limit { return .tooLong }
            return hasReturn ? .inInput(content) : .bareLineFeed
        }
        guard held.count + (end - start) <= limit + 1 else { return .tooLong }
        hold(input, start..<end)
        guard held.last == Octet.carriageReturn else { return held.count > limit ? .tooLong : .bareLineFeed }
        held.removeLast()
        return .held
    }

    /// The line that came in pieces.
    mutating func take() -> [UInt8] {
        defer { held = [] }
        return held
    }

    private mutating func hold(_ input: Span<UInt8>, _ range: Range<Int>) {
        unsafe input.extracting(range).withUnsafeBufferPointer { unsafe held.append(contentsOf: $0) }
    }
}
