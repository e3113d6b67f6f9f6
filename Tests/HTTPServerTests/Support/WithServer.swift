import HTTP1
import HTTPServer
import Testing

/// Runs a server for the length of a test.
func withServer(
    _ responder: TestResponder = .echo, _ configuration: HTTPServerConfiguration = configured(),
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

/// The defaults, but patient enough for a crowded machine, with changes.
func configured(_ change: (inout HTTPServerConfiguration) -> Void = { _ in }) -> HTTPServerConfiguration {
    var configuration = HTTPServerConfiguration()
    configuration.idleTimeout = .seconds(600)
    configuration.headerTimeout = .seconds(600)
    configuration.bodyTimeout = .seconds(600)
    configuration.writeTimeout = .seconds(600)
    configuration.lingerTimeout = .seconds(60)
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
