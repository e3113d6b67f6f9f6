import HTTPTypes
import Testing

/// Architectures that are asked for again: each answer is that of its own.
struct KernelCacheTests {
    /// More architectures than are kept, twice over and in both orders, beside a server that has seen none of them.
    @Test func answersDoNotMix() async throws {
        let client = ServiceClient()
        let bodies = (1...20).map { number in
            """
            {"architecture":{"type":"mlp","depth":\(1 + number % 3),"w_std":\(1 + Double(number) / 32),"activation":"\(number % 2 == 0 ? "relu" : "erf")"},
            "x1":[[1,2],[3,-1],[0.5,0.25]]}
            """
        }
        var first: [[UInt8]] = []
        for body in bodies { first.append(try await post(ServiceClient(), body)) }
        #expect(Set(first).count == bodies.count)
        for index in Array(bodies.indices) + bodies.indices.reversed() + bodies.indices.reversed() {
            #expect(try await post(client, bodies[index]) == first[index])
        }
        // The same architecture on points of another shape.
        let wider = try await post(client, bodies[0].replacing("[[1,2],[3,-1],[0.5,0.25]]", with: "[[1,2,0],[3,-1,0],[0.5,0.25,0]]"))
        #expect(wider != first[0])
    }

    private func post(_ client: ServiceClient, _ body: String) async throws -> [UInt8] {
        let answer = try await client.send(.post, "/v1/kernels", [.contentType: "application/json"], body: Array(body.utf8))
        #expect(answer.status == 200)
        return answer.body
    }
}
