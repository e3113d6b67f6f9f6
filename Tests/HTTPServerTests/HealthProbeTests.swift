import HTTPServer
import Testing

@Suite("The health check's own client")
struct HealthProbeTests {
    @Test("It tells the status of a server, wherever that listens")
    func status() async throws {
        try await withServer { _, port in
            #expect(HealthProbe.status(host: "127.0.0.1", port: port, path: "/", seconds: 60) == 200)
            #expect(HealthProbe.status(host: "0.0.0.0", port: port, path: "/", seconds: 60) == 200)
        }
    }

    @Test("It tells that there is none")
    func nobody() async throws {
        var free: UInt16 = 0
        try await withServer { _, port in free = port }
        #expect(HealthProbe.status(host: "127.0.0.1", port: free, path: "/", seconds: 1) == nil)
        #expect(HealthProbe.status(host: "no.such.host.invalid", port: free, path: "/", seconds: 1) == nil)
    }
}
