/// A header field of a part taken apart, octet by octet: its value, and parameters whose values are tokens or quoted strings (RFC 9110 §5.6.6).
///
/// As text it could be read in two ways: to `String` a Greek question mark is equal to ";", and a quote with an accent is no quote.
struct FieldParameters {
    /// What stands before the first parameter, in lower case.
    let value: String
    let parameters: [(name: String, value: String)]

    /// Nil unless each parameter is `name=value`, the value a token or a whole quoted string.
    init?(_ field: some Collection<UInt8>) {
        var rest = Array(field)[...]
        value = Self.lowercased(Self.take(&rest) { $0 != UInt8(ascii: ";") })
        var parameters: [(name: String, value: String)] = []
        while rest.popFirst() != nil {
            let name = Self.lowercased(Self.take(&rest) { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "=") })
            guard rest.first == UInt8(ascii: "=") else {
                // An empty parameter, as in `a; ; b=c` or at the end, is none.
                guard name.isEmpty else { return nil }
                continue
            }
            rest.removeFirst()
            rest = rest.drop(while: Self.isSpace)
            guard let value = rest.first == UInt8(ascii: "\"") ? Self.quoted(&rest) : Self.take(&rest, while: { $0 != UInt8(ascii: ";") }) else {
                return nil
            }
            parameters.append((name, String(decoding: value, as: UTF8.self)))
        }
        self.parameters = parameters
    }

    /// The value of the one parameter of a name; nil if there is none, or more than one.
    subscript(_ name: String) -> String? {
        let values = parameters.filter { $0.name.isSame(as: name) }
        return values.count == 1 ? values[0].value : nil
    }

    /// Octets up to one that does not belong, without spaces around them.
    private static func take(_ rest: inout ArraySlice<UInt8>, while belongs: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var taken = rest.prefix(while: belongs)
        rest = rest[taken.endIndex...]
        taken = taken.drop(while: isSpace)
        while let last = taken.last, isSpace(last) { taken.removeLast() }
        return taken
    }

    /// What stands between quotes. A backslash before a quote or a backslash takes its meaning from it; before others it is itself, as in the
    /// names of files that some clients send.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var octets: [UInt8] = []
        rest.removeFirst()
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "\"") {
                rest = rest.drop(while: isSpace)
                return rest.isEmpty || rest.first == UInt8(ascii: ";") ? octets[...] : nil
            }
            if octet == UInt8(ascii: "\\"), let next = rest.first, next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") {
                octets.append(next)
                rest.removeFirst()
            } else {
                octets.append(octet)
            }
        }
        return nil
    }

    private static func lowercased(_ octets: ArraySlice<UInt8>) -> String {
        String(decoding: octets.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isSpace(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }
}
