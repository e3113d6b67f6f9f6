import ArgumentParser
import HTTPServer

/// `ntk-server health`: what a container's health check calls, as its image has no other client.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a server on this machine whether it is ready.",
        discussion: """
            Ends with 0 if it is. Reads the same environment variables as `serve`, and so knows whether that speaks TLS; it has no certificate \
            of its own for a server that requires one.
            """)

    @Option(help: Serve.hostSetting.help("Where the server listens."))
    var host: String?

    @Option(help: Serve.portSetting.help("Its port."))
    var port: Int?

    @Flag(help: "Ask over TLS; without it only where a certificate of the server is named (NTK_TLS_CERTIFICATE).")
    var tls = false

    @Option(help: "What is asked.")
    var path = "/readyz"

    @Option(help: "Seconds to wait for the answer.")
    var timeout = 3

    func run() throws {
        let host = try Serve.hostSetting.resolve(host)
        guard let port = UInt16(exactly: try Serve.portSetting.resolve(port)), port > 0 else {
            throw ValidationError("--port must be from 1 to 65535.")
        }
        let overTLS = try tls || !TLSOptions.certificateSetting.resolve(nil).isEmpty
        let status = HealthProbe.status(host: host, port: port, path: path, overTLS: overTLS, seconds: max(1, timeout))
        print(status.map { "\(path): \($0)" } ?? "no answer from \(host) port \(port)")
        guard status == 200 else { throw ExitCode.failure }
    }
}
