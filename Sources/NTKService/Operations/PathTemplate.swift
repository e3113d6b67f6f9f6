/// A path of which some segments, in braces, stand for any one segment.
struct PathTemplate: Sendable {
    private struct Segment: Sendable {
        let octets: [UInt8]
        let isName: Bool

        init(_ text: Substring) {
            isName = text.hasPrefix("{")
            octets = Array((isName ? text.dropFirst().dropLast() : text).utf8)
        }

        func equals(_ other: Span<UInt8>) -> Bool {
            guard octets.count == other.count else { return false }
            for index in octets.indices where octets[index] != other[index] { return false }
            return true
        }
    }

    private let segments: [Segment]
    /// Whether it stands for itself alone.
    let isPlain: Bool

    init(_ text: String) {
        segments = text.split(separator: "/", omittingEmptySubsequences: false).map(Segment.init)
        isPlain = !segments.contains { $0.isName }
    }

    func matches(_ path: Span<UInt8>) -> Bool {
        var start = 0
        for (index, segment) in segments.enumerated() {
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            guard (end == path.count) == (index == segments.count - 1) else { return false }
            guard segment.isName ? end > start : segment.equals(path.extracting(start..<end)) else { return false }
            start = end + 1
        }
        return true
    }

    /// What stands in a path of this template in place of a name; nil if it has no such name.
    func value(of name: String, in path: String) -> String? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (segment, part) in zip(segments, parts) where segment.isName && segment.octets.elementsEqual(name.utf8) {
            return String(decoding: part, as: UTF8.self)
        }
        return nil
    }
}

/// A path with the names that its template gives to segments.
struct PathSegments: Sendable {
    let template: PathTemplate?
    let path: String

    subscript(_ name: String) -> String? { template?.value(of: name, in: path) }
}
