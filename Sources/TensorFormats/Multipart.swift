internal import Glibc

/// The parts of a `multipart/form-data` body (RFC 7578).
package enum Multipart {
    private static let format = "multipart/form-data"
    /// A form has a part for each parameter of a network at the most.
    private static let maximumParts = 4_096
    /// Octets of the header section of a part.
    private static let maximumHeaderOctets = 16 * 1024

    package struct Part: Sendable {
        package var name: String
        package var mediaType: String?
        package var content: ArraySlice<UInt8>
    }

    /// - Parameter contentType: with the boundary.
    package static func read(_ body: [UInt8], contentType: String) throws(FormatError) -> [Part] {
        guard let boundary = FieldParameters(contentType.utf8)?["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw FormatError(format, "a Content-Type with a boundary of 1 to 70 characters expected")
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        guard body.starts(with: delimiter.dropFirst(2)) else { throw FormatError(format, "a body that begins with --\(boundary) expected") }
        var place = delimiter.count - 2
        var parts: [Part] = []
        while true {
            if body[place...].starts(with: Array("--".utf8)) { return parts }
            // Spaces may follow a boundary.
            while place < body.count, body[place] == 0x20 || body[place] == 0x09 { place += 1 }
            guard body[place...].starts(with: [0x0D, 0x0A]) else { throw FormatError(format, "a line end after a boundary expected") }
            guard let next = find(delimiter, in: body, from: place, before: body.count) else {
                throw FormatError(format, "a last boundary --\(boundary)-- expected")
            }
            guard parts.count < maximumParts else { throw FormatError(format, "at most \(maximumParts) parts expected") }
            parts.append(try part(body, place, next))
            place = next + delimiter.count
        }
    }

    private static func part(_ body: [UInt8], _ start: Int, _ end: Int) throws(FormatError) -> Part {
        guard let head = find([0x0D, 0x0A, 0x0D, 0x0A], in: body, from: start, before: end) else {
            throw FormatError(format, "a header section and an empty line in each part expected")
        }
        guard head - start <= maximumHeaderOctets else {
            throw FormatError(format, "a header section of at most \(maximumHeaderOctets) bytes in each part expected")
        }
        var fields: [String: FieldParameters] = [:]
        for line in try lines(body[start..<head]) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = FieldParameters(line[..<colon])?.value ?? ""
            guard name == "content-disposition" || name == "content-type" else { continue }
            guard let field = FieldParameters(line[(colon + 1)...]) else {
                throw FormatError(format, "parameters of the form name=value in a part's \(name) expected")
            }
            guard fields.updateValue(field, forKey: name) == nil else { throw FormatError(format, "one \(name) in each part expected; two came") }
        }
        guard let name = fields["content-disposition"]?["name"] else {
            throw FormatError(format, "a Content-Disposition with one name in each part expected")
        }
        return Part(name: name, mediaType: fields["content-type"]?.value, content: body[head + 4..<end])
    }

    /// The lines of a header section, each but the last ended by CR and LF.
    private static func lines(_ section: ArraySlice<UInt8>) throws(FormatError) -> [ArraySlice<UInt8>] {
        var lines = section.split(separator: 0x0A, omittingEmptySubsequences: false)
        for index in lines.indices.dropLast() {
            guard lines[index].last == 0x0D else { throw FormatError(format, "lines of a part's header that end with CR and LF expected") }
            lines[index].removeLast()
        }
        return lines
    }

    /// Where `pattern` begins for the first time, if it ends before `end`.
    private static func find(_ pattern: [UInt8], in body: [UInt8], from start: Int, before end: Int) -> Int? {
        unsafe body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var place = start
            while place + pattern.count <= end {
                let rest = end - pattern.count - place + 1
                guard let found = unsafe memchr(base + place, Int32(pattern[0]), rest) else { return nil }
                place = unsafe UnsafeRawPointer(found) - base
                if unsafe memcmp(base + place, pattern, pattern.count) == 0 { return place }
                place += 1
            }
            return nil
        }
    }
}
