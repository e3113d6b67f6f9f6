import Foundation
import HTTP1
import HTTPServer
import HTTPTypes

/// The HTTP library without the product: `http1-echo [port] [host]`, for suites that test the conformance of servers.
@main
enum EchoServer {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--parse" { return try ParserOutcomes.run() }
        var configuration = HTTPServerConfiguration()
        configuration.serverName = nil
        guard let port = UInt16(arguments.first ?? "8080") else {
            FileHandle.standardError.write(Data("usage: http1-echo [port] [host]\n".utf8))
            exit(64)
        }
        configuration.port = port
        configuration.host = arguments.dropFirst().first ?? configuration.host
        let server = try HTTPServer.start(configuration, responder: EchoResponder())
        FileHandle.standardOutput.write(Data("listening on http://\(server.address)\n".utf8))
        while true { try await Task.sleep(for: .seconds(3_600)) }
    }
}
