import Gateway
import Testing

/// W3C Trace Context §3.2: one that breaks a rule is ignored whole.
@Suite struct TraceParentTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"

    @Test(arguments: [
        "00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-ff", "01-\(trace)-\(parent)-00", "cc-\(trace)-\(parent)-00-what-comes-later",
    ])
    func good(field: String) {
        let read = TraceParent(field)
        #expect(read?.traceID == Self.trace && read?.parentID == Self.parent)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-1", "00-\(trace)-\(parent)-01-", "00-\(trace)-\(parent)-01-more",
        "ff-\(trace)-\(parent)-01", "0x-\(trace)-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01",
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01", "00_\(trace)_\(parent)_01",
        "00-\(trace)-\(parent)-0g", " 00-\(trace)-\(parent)-01", "cc-\(trace)-\(parent)-00.what",
        "00-\(trace)-\(parent)-01, 00-\(trace)-\(parent)-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-\(parent)-01",
    ])
    func bad(field: String) { #expect(TraceParent(field) == nil) }
}
