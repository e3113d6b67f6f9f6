import HTTP1
import HTTPServer
import Testing

/// Runs a server for the length of a test.
func withServer(
    _ responder: TestResponder = .echo, _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    _ body: (_ server: HTTPServer, _ port: UInt16) async throws -> Void
) async throws {
    let server = try HTTPServer.start(configuration, responder: responder)
    do {
        try await body(server, server.address.port)
    } catch {
        await server.shutdown(within: .zero)
        throw error
    }
    await server.shutdown(within: .zero)
    #expect(server.connectionCount == 0)
}

/// The defaults, with changes.
func configured(_ change: (inout HTTPServerConfiguration) -> Void) -> HTTPServerConfiguration {
    var configuration = HTTPServerConfiguration()
    change(&configuration)
    return configuration
}

/// Waits for what another thread brings about. Only the patience is bounded, and generously.
func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<3_000 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
