/// What the gzip of requests and answers may cost, and where it is worth it.
package struct ContentCodingConfiguration: Sendable {
    /// False for no coding at all: a request in gzip is 415 then.
    package var isEnabled = true
    /// Octets of a request's content after inflation; more is 413.
    package var maximumInflatedOctets = 1 << 30
    /// Octets of inflated content for one octet of gzip; more is 413. Text of numbers is below 5, a file of zeros about 1,000.
    package var maximumRatio = 100
    /// Inflated octets for which the ratio is not looked at: small content may well repeat itself.
    package var octetsWithoutRatio = 256 * 1024
    /// Octets by which content may be ahead of the ratio as it is inflated: a bomb is found out before it has taken what its whole size would allow.
    package var octetsAhead = 16 << 20
    /// Octets of an answer below which gzip saves no packet.
    package var minimumOctets = 1_024
    /// Of zlib. Level 1 is several times as fast as the default, 6, and within some percent of its size on numbers.
    package var level: Int32 = 1

    package init() {}

    /// The most that as many octets of gzip may become.
    func mostOctets(of count: Int) -> Int {
        let (byRatio, overflow) = count.multipliedReportingOverflow(by: maximumRatio)
        return min(maximumInflatedOctets, max(octetsWithoutRatio, overflow ? .max : byRatio))
    }
}
