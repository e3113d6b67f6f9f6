/// What a client's `Accept-Encoding` says of the two codings that there are (RFC 9110 §12.5.3). Qualities are in thousandths, 0 for "not acceptable".
struct AcceptedCodings: Equatable, Sendable {
    private(set) var gzip = 0
    private(set) var identity = 1

    /// - Parameter field: Nil without the field: anything goes then, and what needs no decoding is the safest.
    init(_ field: String?) {
        guard let field else { return }
        var (gzip, identity, other): (Int?, Int?, Int?)
        for member in field.utf8.split(separator: UInt8(ascii: ",")) {
            let parts = member.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { $0.trimmed }
            guard let coding = parts.first, let quality = Self.quality(parts.dropFirst()) else { continue }
            switch coding {
            case "gzip", "x-gzip": gzip = gzip ?? quality
            case "identity": identity = identity ?? quality
            case "*": other = other ?? quality
            default: continue
            }
        }
        self.gzip = gzip ?? other ?? 0
        // Acceptable without a word, but least of all, unless it is excluded.
        self.identity = identity ?? other ?? 1
    }

    var prefersGzip: Bool { gzip > 0 && gzip >= identity }
    var refusesBoth: Bool { gzip == 0 && identity == 0 }

    /// `weight` (RFC 9110 §12.4.2); nil if it is none, which takes the whole member out.
    private static func quality(_ parameters: ArraySlice<String>) -> Int? {
        guard let parameter = parameters.first else { return 1_000 }
        guard parameters.count == 1, parameter.hasPrefix("q=") else { return nil }
        let digits = Array(parameter.utf8.dropFirst(2))
        guard let whole = digits.first, whole == 0x30 || whole == 0x31 else { return nil }
        if digits.count == 1 { return whole == 0x31 ? 1_000 : 0 }
        guard digits[1] == UInt8(ascii: "."), digits.count <= 5 else { return nil }
        var thousandths = whole == 0x31 ? 1_000 : 0
        var place = 100
        for digit in digits.dropFirst(2) {
            guard (0x30...0x39).contains(digit) else { return nil }
            thousandths += Int(digit - 0x30) * place
            place /= 10
        }
        return thousandths <= 1_000 ? thousandths : nil
    }
}

extension Substring.UTF8View {
    /// Without spaces and tabs at the ends, A to Z in lower case.
    var trimmed: String {
        var octets = self.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }[...]
        while let first = octets.first, first == 0x20 || first == 0x09 { octets.removeFirst() }
        while let last = octets.last, last == 0x20 || last == 0x09 { octets.removeLast() }
        return String(decoding: octets, as: UTF8.self)
    }
}
