/// `uri-host [ ":" port ]` (RFC 9110 §7.2): of Host and of absolute-form targets.
enum Authority {
    /// Refuses what is empty, or has userinfo, a path, a comma, or a port above 65,535.
    static func check(_ octets: Span<UInt8>, rule: String) throws(HTTPRejection) {
        let hostEnd = try endOfHost(octets, rule: rule)
        guard hostEnd > 0 else {
            throw .badRequest("The host must not be empty.", rule)
        }
        guard hostEnd < octets.count else { return }
        guard octets[hostEnd] == Octet.colon else {
            throw .badRequest("The host must be a name or an address, with a port at most.", rule)
        }
        var port = 0
        for index in (hostEnd + 1)..<octets.count {
            guard isDigit(octets[index]) else {
                throw .badRequest("The port of the host must be decimal digits.", rule)
            }
            port = port * 10 + Int(octets[index] - 0x30)
            guard port <= 65_535 else {
                throw .badRequest("The port of the host must be 65535 at most.", rule)
            }
        }
    }

    private static func endOfHost(_ octets: Span<UInt8>, rule: String) throws(HTTPRejection) -> Int {
        guard let first = octets.indices.first else { return 0 }
        if octets[first] == UInt8(ascii: "[") {
            let allowed = OctetSet.addressLiteral
            var index = 1
            while index < octets.count, allowed.contains(octets[index]) { index += 1 }
            guard index > 1, index < octets.count, octets[index] == UInt8(ascii: "]") else {
                throw .badRequest("An address in brackets must be closed and must not be empty.", rule)
            }
            return index + 1
        }
        let allowed = OctetSet.registeredName
        var index = 0
        while index < octets.count {
            if octets[index] == Octet.percent {
                guard index + 2 < octets.count, hexadecimalValue(octets[index + 1]) != nil, hexadecimalValue(octets[index + 2]) != nil else {
                    throw .badRequest("In the host \"%\" must be followed by two hexadecimal digits.", rule)
                }
                index += 3
            } else if allowed.contains(octets[index]) {
                index += 1
            } else {
                break
            }
        }
        return index
    }
}
