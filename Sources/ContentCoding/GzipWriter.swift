internal import CZlib

/// Deflates content piece by piece into one gzip member (RFC 1952).
@safe
package final class GzipWriter {
    private static let pieceOctets = 64 * 1024
    /// 15 bits of window, and 16 for the gzip wrapper in place of zlib's own.
    private static let windowBits: Int32 = 15 + 16

    /// zlib keeps the address: the stream must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil without memory.
    package init?(level: Int32) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe deflateInit2_(
            stream, level, Z_DEFLATED, Self.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// What `content` adds to the member; the rest of it and the trailer if it `isLast`.
    package func write(_ content: ArraySlice<UInt8>, isLast: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(content.count / 2 + 64)
        var start = content.startIndex
        repeat {
            let end = min(content.endIndex, start + (1 << 30))
            write(content[start..<end], flush: isLast && end == content.endIndex ? Z_FINISH : Z_NO_FLUSH, into: &out)
            start = end
        } while start < content.endIndex
        return out
    }

    private func write(_ content: ArraySlice<UInt8>, flush: Int32, into out: inout [UInt8]) {
        var content = Array(content)
        var piece = [UInt8](repeating: 0, count: Self.pieceOctets)
        unsafe content.withUnsafeMutableBufferPointer { source in
            unsafe stream.pointee.next_in = source.baseAddress
            unsafe stream.pointee.avail_in = UInt32(source.count)
            var room: UInt32
            repeat {
                let written = unsafe piece.withUnsafeMutableBufferPointer { target in
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(target.count)
                    _ = unsafe deflate(stream, flush)
                    return unsafe target.count - Int(stream.pointee.avail_out)
                }
                room = unsafe stream.pointee.avail_out
                out += piece[..<written]
                // Room that is left says that zlib has nothing more to write.
            } while room == 0
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.next_out = nil
        }
    }
}
