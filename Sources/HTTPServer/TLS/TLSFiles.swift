/// The files of a server's identity, as PEM, and whether clients need certificates.
package struct TLSFiles: Sendable, Equatable {
    /// Whether clients must have a certificate that one of `clientAuthorities` has signed.
    package enum ClientCertificates: String, Sendable, CaseIterable {
        case required
        /// A client without one is served; one that shows another is not.
        case optional
    }

    /// The server's certificate, then those that lead from it to its root.
    package var certificate: String
    package var key: String
    /// Certificates of the authorities of clients; nil to ask no client for one.
    package var clientAuthorities: String?
    package var clientCertificates: ClientCertificates

    package init(
        certificate: String, key: String, clientAuthorities: String? = nil, clientCertificates: ClientCertificates = .required
    ) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
        self.clientCertificates = clientCertificates
    }
}
