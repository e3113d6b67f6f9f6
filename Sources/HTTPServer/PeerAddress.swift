/// The address at the other end.
struct PeerAddress: Sendable {
    /// In numbers.
    var host: String
    /// What one client has for itself: an IPv4 address, or the first 64 bits of an IPv6 address.
    var network: UInt64
}
