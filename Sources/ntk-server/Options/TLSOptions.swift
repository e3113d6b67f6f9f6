import ArgumentParser
import HTTPServer
import Logging

/// The server's certificate, and whether clients need one.
struct TLSOptions: ParsableArguments {
    static let certificateSetting = Setting(variable: "NTK_TLS_CERTIFICATE", standard: "")
    private static let keySetting = Setting(variable: "NTK_TLS_KEY", standard: "")
    private static let clientSetting = Setting(variable: "NTK_TLS_CLIENT_CA", standard: "")
    private static let clientsSetting = Setting(variable: "NTK_TLS_CLIENT_CERTIFICATES", standard: ClientCertificates.required)

    /// As `TLSFiles.ClientCertificates` has them.
    enum ClientCertificates: String, ExpressibleByArgument, CaseIterable, Sendable {
        case required
        case optional
    }

    @Option(
        help: ArgumentHelp(
            "Certificate of the server as PEM, with those that lead to its root: https instead of http. Read again on SIGHUP (NTK_TLS_CERTIFICATE).",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("Its private key, as PEM without a passphrase. Read again on SIGHUP (NTK_TLS_KEY).", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "Authorities, as PEM, one of which must have signed a client's certificate. Read again on SIGHUP (NTK_TLS_CLIENT_CA).",
            valueName: "file"))
    var tlsClientCa: String?

    @Option(help: clientsSetting.help("With --tls-client-ca, whether clients must have a certificate: required or optional."))
    var tlsClientCertificates: ClientCertificates?

    /// Nil if nothing is said of TLS.
    func context() throws -> TLSContext? {
        let (certificate, key) = (try Self.certificateSetting.resolve(tlsCertificate), try Self.keySetting.resolve(tlsKey))
        let authorities = try Self.clientSetting.resolve(tlsClientCa)
        let clients = try Self.clientsSetting.resolve(tlsClientCertificates)
        guard !certificate.isEmpty || !key.isEmpty || !authorities.isEmpty else { return nil }
        guard !certificate.isEmpty, !key.isEmpty else {
            throw ValidationError("TLS needs both --tls-certificate and --tls-key (NTK_TLS_CERTIFICATE and NTK_TLS_KEY).")
        }
        let files = TLSFiles(
            certificate: certificate, key: key, clientAuthorities: authorities.isEmpty ? nil : authorities,
            clientCertificates: clients == .required ? .required : .optional)
        do {
            return try TLSContext(files)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

extension TLSContext {
    /// Reads the files again, and logs how that went.
    func reload(_ logger: Logger) {
        do {
            try reload()
            logger.notice("TLS certificate read again", metadata: ["certificate": "\(files.certificate)"])
        } catch {
            logger.error("TLS certificate not read again, the earlier one stays in use", metadata: ["error": "\(error)"])
        }
    }
}
