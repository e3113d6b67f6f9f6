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
        guard let boundary = parameter("boundary", contentType), (1...70).contains(boundary.utf8.count) else {
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
        var (name, mediaType): (String?, String?)
        for line in String(decoding: body[start..<head], as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            switch line[..<colon].lowercased() {
            case "content-disposition": name = parameter("name", value)
            case "content-type": mediaType = value.split(separator: ";").first.map { $0.lowercased() }
            default: break
            }
        }
        guard let name else { throw FormatError(format, "a Content-Disposition with a name in each part expected") }
        return Part(name: name, mediaType: mediaType, content: body[head + 4..<end])
    }

    /// The value of a parameter of a field, without its quotes.
    private static func parameter(_ name: String, _ field: String) -> String? {
        for part in field.split(separator: ";").dropFirst() {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, sides[0].filter({ $0 != " " }).lowercased() == name else { continue }
            var value = sides[1]
            while value.last == " " { value.removeLast() }
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            return String(value)
        }
        return nil
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
