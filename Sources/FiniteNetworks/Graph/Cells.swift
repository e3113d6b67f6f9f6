internal import LinearAlgebra

/// A run of numbers in a buffer that somebody else keeps alive: what loops of operators read and write.
///
/// The address is kept as an integer, so that tiles on several threads can be handed cells of one buffer; each writes its own samples only.
/// Debug builds check every index.
@safe
struct Cells<Element: BitwiseCopyable>: Sendable {
    let address: UInt
    let count: Int

    @inline(__always)
    var base: UnsafeMutablePointer<Element> {
        // Buffers are never at address 0.
        unsafe UnsafeMutablePointer<Element>(bitPattern: address).unsafelyUnwrapped
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return unsafe base[index]
        }
        nonmutating _modify {
            assert(index >= 0 && index < count)
            yield unsafe &base[index]
        }
    }

    /// The cells from `start` on, `count` of them or all that follow.
    @inline(__always)
    func from(_ start: Int, _ count: Int? = nil) -> Cells {
        assert(start >= 0 && start + (count ?? 0) <= self.count)
        return Cells(address: address + UInt(start * MemoryLayout<Element>.stride), count: count ?? self.count - start)
    }

    func fill(_ value: Element) { unsafe base.update(repeating: value, count: count) }

    /// Copies as many elements as `source` has.
    @inline(__always)
    func copy(_ source: Cells) {
        assert(source.count <= count)
        unsafe base.update(from: source.base, count: source.count)
    }

    var elements: [Element] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }
}

extension Cells where Element: NetworkScalar {
    /// y ← y + factor·x for as many elements as x has.
    @inline(__always)
    func add(_ x: Cells, times factor: Element = 1) {
        let (y, source) = unsafe (base, x.base)
        assert(x.count <= count)
        if factor == 1 {
            for index in 0..<x.count { unsafe y[index] += source[index] }
        } else {
            for index in 0..<x.count { unsafe y[index] += factor * source[index] }
        }
    }
}

/// Memory for numbers of one kind, uninitialized.
///
/// It is freed behind the last use of the reference, and cells are none: an optimized build frees a buffer before its cells are read, unless
/// whoever makes them holds it to the end of the scope (`defer { withExtendedLifetime(buffer) {} }`).
final class Buffer: Sendable {
    private let words: Storage<Double>

    init<Element: BitwiseCopyable>(_: Element.Type, count: Int) {
        words = Storage(count: (count * MemoryLayout<Element>.stride + 7) / 8 + 1)
    }

    /// Numbers that stand in the bytes of a file, which are kept. They are only read, at whatever address they are: processors that this runs on load
    /// numbers of 32 bits from any.
    init(_ bytes: [UInt8], from start: Int, count: Int) {
        // The bytes of an array do not move as long as it is held and nobody writes to it.
        let base = unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawPointer(mutating: $0.baseAddress) }
        guard let base = unsafe base else {
            words = Storage(count: 1)
            return
        }
        words = unsafe Storage(count: max(count / 2, 1), at: base + start, owner: bytes)
    }

    var address: UInt { unsafe UInt(bitPattern: words.base) }

    func cells<Element: BitwiseCopyable>(_: Element.Type, _ count: Int) -> Cells<Element> { Cells(address: address, count: count) }

    /// Calls `body` with the cells; the buffer lives until it returns.
    @inline(__always)
    func withCells<Element: BitwiseCopyable, Result, Failure: Error>(
        _: Element.Type, _ count: Int, _ body: (Cells<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(Cells(address: address, count: count))
    }

    /// Calls `body` with uninitialized memory for `count` numbers that is gone when it returns.
    @inline(__always)
    static func withScratch<Element: BitwiseCopyable, Result, Failure: Error>(
        _: Element.Type, _ count: Int, _ body: (Cells<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Buffer(Element.self, count: count).withCells(Element.self, count, body)
    }
}
