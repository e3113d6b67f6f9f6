import Testing

@testable import HTTPServer

@Suite("How descriptors are shared out")
struct DescriptorSharesTests {
    @Test(
        "All that is given out is there, and something is left for files", arguments: [24, 32, 64, 256, 1_024, 20_000, 1_048_576],
        [0, 1, 100, 100_000])
    func fits(limit: Int, wanted: Int) {
        let open = 15
        let shares = DescriptorShares(limit: limit, open: open, wanted: wanted)
        #expect(shares.connections >= 1 && shares.refusals >= 1)
        #expect(shares.connections + shares.refusals + 8 <= max(limit - open, 10))
        if wanted > 0 { #expect(shares.connections <= wanted) }
    }

    @Test("What was asked for is given where there is room")
    func wanted() {
        #expect(DescriptorShares(limit: 1_024, open: 15, wanted: 500).connections == 500)
        #expect(DescriptorShares(limit: 1_048_576, open: 15, wanted: 0).connections > 1_000_000)
    }
}
