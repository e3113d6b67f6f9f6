internal import HTTP1
internal import TensorFormats

/// Content negotiation by `Accept` (RFC 9110 §12.5.1).
enum MediaRange {
    /// Whether `accept` allows `type`: by the most specific range that matches it, with a quality above 0.
    static func allows(_ accept: String, _ type: String) -> Bool { (quality(accept, type)?.quality ?? 0) > 0 }

    /// The quality of `type` by the most specific range that matches it; nil if none does.
    static func quality(_ accept: String, _ type: String) -> (quality: Double, specificity: Int)? {
        var best = (specificity: -1, quality: 0.0)
        for range in accept.utf8.split(separator: UInt8(ascii: ",")) {
            let parts = range.split(separator: UInt8(ascii: ";")).map { Substring($0).trimming }
            guard let name = parts.first?.asciiLowercased, let specificity = specificity(name, type) else { continue }
            let quality = parts.dropFirst().first { $0.asciiLowercased.hasPrefix("q=") }.flatMap { DecimalText.number($0.dropFirst(2)) } ?? 1
            if specificity > best.specificity { best = (specificity, quality) }
        }
        return best.specificity < 0 ? nil : (best.quality, best.specificity)
    }

    /// 2 for the type itself, 1 for its kind, 0 for anything; nil if the range is another.
    private static func specificity(_ range: String, _ type: String) -> Int? {
        if range.isSame(as: type) { return 2 }
        if range == "*/*" { return 0 }
        return range.hasSuffix("/*") && type.hasPrefix(range.dropLast()) ? 1 : nil
    }

    /// The type of a `Content-Type`, in lower case, without parameters.
    static func type(_ contentType: String) -> String {
        if contentType.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "-") }) { return contentType }
        return contentType.utf8.split(separator: UInt8(ascii: ";")).first.map { Substring($0).trimming.asciiLowercased } ?? ""
    }
}

extension Substring {
    /// Without spaces and tabs at both ends, and nothing else that Unicode takes for a space.
    var trimming: Substring {
        var text = self
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
