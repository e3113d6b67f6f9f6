import CZlib

/// gzip by zlib's whole-buffer use, apart from the code under test.
enum Gzip {
    /// - Parameter windowBits: 31 for gzip, 15 for the zlib format, -15 for deflate without wrapping.
    static func pack(_ content: [UInt8], level: Int32 = 9, windowBits: Int32 = 31) -> [UInt8] {
        var content = content
        var stream = unsafe z_stream()
        _ = unsafe deflateInit2_(&stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { unsafe deflateEnd(&stream) }
        var out = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(content.count))) + 64)
        let count = unsafe content.withUnsafeMutableBufferPointer { source in
            unsafe out.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                _ = unsafe deflate(&stream, Z_FINISH)
                return unsafe target.count - Int(stream.avail_out)
            }
        }
        return Array(out[..<count])
    }

    /// Nil unless it is exactly one whole member.
    static func unpack(_ packed: [UInt8], capacity: Int = 1 << 26) -> [UInt8]? {
        var packed = packed
        var stream = unsafe z_stream()
        _ = unsafe inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { unsafe inflateEnd(&stream) }
        var status: Int32 = 0
        let out = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            unsafe packed.withUnsafeMutableBufferPointer { source in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(capacity)
                status = unsafe inflate(&stream, Z_FINISH)
            }
            count = unsafe capacity - Int(stream.avail_out)
        }
        let rest = unsafe stream.avail_in
        return status == Z_STREAM_END && rest == 0 ? out : nil
    }
}
