/// One aligned allocation of numbers, shared by reference and written in place by the tiles that fill it.
///
/// The address is kept as an integer, so that tiles running on different threads can be handed the same storage; what keeps them apart is
/// that each writes its own rows or columns only, and that nobody reads before all have ended (`TileExecutor.forEach` returns).
@safe
public final class Storage<Element: Scalar>: Sendable {
    public let count: Int
    @usableFromInline let address: UInt
    /// Who holds the memory, where it is not an allocation of its own.
    private let owner: (any Sendable)?

    /// Of a block that can be used again; 0 for a small one, or one of somebody else's.
    private let blockBytes: Int

    /// From this size on memory is aligned to a cache line: below, to cut a line's start out of a block costs more than it is worth.
    private static var alignedBytes: Int { 16_384 }

    /// Uninitialized memory for `count` elements.
    public init(count: Int) {
        self.count = count
        owner = nil
        let bytes = count * MemoryLayout<Element>.stride
        switch bytes {
        // Nothing is ever read or written there.
        case ...0: (address, blockBytes) = (UInt(MemoryLayout<Element>.alignment), 0)
        case RecycledBlocks.leastBytes...: (address, blockBytes) = RecycledBlocks.allocate(bytes)
        default:
            let alignment = bytes < Self.alignedBytes ? MemoryLayout<Element>.alignment : 64
            (address, blockBytes) = (UInt(bitPattern: UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)), 0)
        }
    }

    /// Memory for `count` elements that is `owner`'s, such as a mapped file, and good for as long as that lives.
    @unsafe
    public init(count: Int, at memory: UnsafeMutableRawPointer, owner: any Sendable) {
        self.count = count
        address = UInt(bitPattern: memory)
        blockBytes = 0
        self.owner = owner
    }

    deinit {
        guard owner == nil, count > 0 else { return }
        guard blockBytes == 0 else { return RecycledBlocks.free(address, blockBytes) }
        unsafe UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
    }

    /// The first element. Valid while the storage lives.
    @unsafe
    @inlinable
    public var base: UnsafeMutablePointer<Element> {
        // The address came from an allocation, so it is not null.
        unsafe UnsafeMutablePointer<Element>(bitPattern: address).unsafelyUnwrapped
    }

    /// Writes one element; the caller sees to it that nobody else reads or writes it at the same time.
    public func set(_ index: Int, _ value: Element) {
        precondition(index >= 0 && index < count)
        unsafe base[index] = value
    }

    /// A copy of all elements, which must have been written.
    public var elements: [Element] {
        unsafe Array(UnsafeBufferPointer(start: base, count: count))
    }
}
