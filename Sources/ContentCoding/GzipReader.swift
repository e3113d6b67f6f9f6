internal import CZlib
package import HTTP1

/// Inflates a gzip file (RFC 1952: one member or several) or what HTTP calls `deflate` (RFC 9110 §8.4.1.2: the zlib format of RFC 1950; some
/// clients leave its wrapping out, RFC 1951), step by step, within a limit of octets and one of their ratio.
@safe
package final class GzipReader {
    package static let pieceOctets = 64 * 1024

    package enum Format: Sendable {
        case gzip, deflate
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let source: [UInt8]
    private let format: Format
    private let configuration: ContentCodingConfiguration
    private var read = 0
    private var piece = [UInt8](repeating: 0, count: pieceOctets)
    private let keeps: Bool
    /// Octets inflated so far.
    package private(set) var count = 0
    /// What has been inflated, with room behind it for readers that look ahead.
    package private(set) var content: [UInt8] = []

    /// Nil without memory.
    /// - Parameters:
    ///   - count: what the content is known to take.
    ///   - keeps: whether the content is kept, or only counted.
    package init?(
        _ source: [UInt8], _ configuration: ContentCodingConfiguration, format: Format = .gzip, count: Int? = nil, keeps: Bool = true
    ) {
        self.source = source
        self.format = format
        self.keeps = keeps
        limit = configuration.mostOctets(of: source.count)
        // The last four octets of gzip are the size of the last member; of the other nothing is known.
        let told = format == .gzip ? source.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) } : source.count
        expectedOctets = min(count ?? told, limit)
        self.configuration = configuration
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for gzip alone; negative for no wrapping.
        let bits: Int32 = format == .gzip ? 15 + 16 : Self.hasZlibHeader(source) ? 15 : -15
        guard unsafe inflateInit2_(stream, bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// What the content is likely to take: only a hint, and bounded as the content is.
    package let expectedOctets: Int
    /// The most that this file may become.
    private let limit: Int

    /// Inflates about as many octets more. True at the end of the file.
    package func advance(by octets: Int) throws(HTTPRejection) -> Bool {
        if keeps, content.capacity == 0 { content.reserveCapacity(expectedOctets + HTTPLimits().bodyPaddingOctets) }
        let goal = count + octets
        while count < goal {
            let (status, written) = step()
            count += written
            if keeps { content += piece[..<written] }
            guard count <= limit, count - configuration.octetsAhead <= read * configuration.maximumRatio else { throw tooLarge }
            switch status {
            case Z_OK: continue
            case Z_STREAM_END:
                if read == source.count { return true }
                guard format == .gzip else { throw damaged }
                unsafe inflateReset(stream)
            default: throw damaged
            }
        }
        return false
    }

    /// Whether the first two octets are those of the zlib format (RFC 1950 §2.2): method 8, and a multiple of 31.
    private static func hasZlibHeader(_ source: [UInt8]) -> Bool {
        guard source.count >= 2 else { return true }
        return source[0] & 15 == 8 && source[0] >> 4 <= 7 && (Int(source[0]) << 8 | Int(source[1])) % 31 == 0
    }

    private var damaged: HTTPRejection {
        format == .gzip
            ? .badRequest("The content is not the whole and undamaged gzip file that Content-Encoding promises.", "RFC 1952 §2.2")
            : .badRequest("The content is not the whole and undamaged deflate stream that Content-Encoding promises.", "RFC 1950 §2.2")
    }

    private func step() -> (status: Int32, written: Int) {
        let (start, count) = (read, min(source.count - read, 1 << 30))
        return unsafe source.withUnsafeBufferPointer { source in
            unsafe piece.withUnsafeMutableBufferPointer { target in
                // zlib does not write there; its interface is older than const.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { unsafe $0 + start })
                unsafe stream.pointee.avail_in = UInt32(count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                let status = unsafe inflate(stream, Z_NO_FLUSH)
                read += unsafe count - Int(stream.pointee.avail_in)
                return unsafe (status, target.count - Int(stream.pointee.avail_out))
            }
        }
    }

    private var tooLarge: HTTPRejection {
        let detail =
            count > configuration.maximumInflatedOctets
            ? "The content is longer than \(configuration.maximumInflatedOctets) bytes once it is inflated."
            : "The content has more than \(configuration.maximumRatio) bytes for one byte of \(format)."
        return .contentTooLarge(detail, "RFC 9110 §15.5.14")
    }
}
