internal import CZlib

extension Npz {
    /// A member's beginning that is inflated to see the header: NumPy's own have 128 bytes.
    private static let headBytes = 1_024
    /// Members whose headers are looked at; of those behind them, numbers of one byte are assumed.
    private static let headCount = 4_096

    /// What `read` with the same limit takes, as directory and headers say it. Of a damaged archive, what is read before the damage is found.
    package static func demand(_ bytes: ArraySlice<UInt8>, limit: Int) -> ReadingDemand {
        var sum = ReadingDemand()
        guard var members = try? NpzMembers(bytes, limit: limit), let inflater = Inflater() else { return sum }
        var count = 0
        while let member = try? members.next() {
            count += 1
            var demand: ReadingDemand
            if member.name == metaName {
                demand = ReadingDemand(kept: member.size, text: member.size)
            } else {
                let head = count > headCount ? [] : member.isDeflated ? inflater.head(member.packed, count: headBytes)[...] : member.packed
                demand = Npy.demand(head, size: member.size)
            }
            demand.kept += ReadingDemand.arrayBytes
            if member.isDeflated { demand.passing += member.size }
            sum += demand
        }
        return sum
    }

    /// The directory alone: bytes of all members together once they are inflated.
    package static func inflatedBytes(_ bytes: ArraySlice<UInt8>, limit: Int) -> Int {
        guard var members = try? NpzMembers(bytes, limit: limit) else { return 0 }
        var sum = 0
        while let member = try? members.next() { sum += member.size }
        return sum
    }
}

/// Inflates beginnings, which libdeflate does not: it wants a member's whole room.
@safe
private final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil without memory.
    init?() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and no header.
        guard unsafe inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// The first bytes of what `packed` holds, `count` of them unless it is shorter or damaged.
    func head(_ packed: ArraySlice<UInt8>, count: Int) -> [UInt8] {
        unsafe inflateReset(stream)
        return unsafe packed.prefix(1 << 20).withUnsafeBufferPointer { source in
            unsafe [UInt8](unsafeUninitializedCapacity: count) { target, written in
                // zlib does not write there; its interface is older than const.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(count)
                _ = unsafe inflate(stream, Z_SYNC_FLUSH)
                written = unsafe count - Int(stream.pointee.avail_out)
            }
        }
    }
}
