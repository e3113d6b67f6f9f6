internal import Glibc

/// What stands for a client that has no name.
enum ClientAddress {
    /// An IPv4 address, or the /64 network of an IPv6 one: a household has 2⁶⁴ addresses, and is still one client.
    static func network(_ address: String) -> String {
        guard address.utf8.contains(UInt8(ascii: ":")) else { return address }
        let plain = String(address.prefix { $0 != "%" })
        var octets = in6_addr()
        guard unsafe inet_pton(AF_INET6, plain, &octets) == 1 else { return address }
        let bytes = unsafe withUnsafeBytes(of: octets) { unsafe Array($0) }
        // IPv4 in IPv6 clothes.
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF { return bytes[12...].map(String.init).joined(separator: ".") }
        return bytes[..<8].map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}
