import HTTP1
import HTTPTypes

/// The parser must never trap, and must give the same requests and the same rejection however its input is cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let octets = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    var tight = HTTPLimits()
    tight.requestLineOctets = 40
    tight.fieldOctets = 80
    tight.fieldCount = 4
    tight.chunkExtensionOctets = 8
    tight.chunkCount = 3
    for limits in [HTTPLimits(), tight] {
        let whole = ParserHarness.run(octets, limits: limits, maximumBodyBytes: 1_000)
        check(whole)
        // The places depend on the input alone, so that a finding can be run again.
        var state = octets.reduce(UInt64(octets.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var cuts: [Int] = []
        var place = 0
        while true {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            place += Int(state >> 33) % (octets.count < 64 ? 4 : 40)
            guard place < octets.count else { break }
            cuts.append(place)
        }
        let cut = ParserHarness.run(octets, cuts: cuts, limits: limits, maximumBodyBytes: 1_000)
        precondition(whole == cut, "cuts \(cuts): \(cut) instead of \(whole)")
    }
    return 0
}

private func check(_ outcome: Outcome) {
    for request in outcome.requests {
        switch request.head.framing {
        case .none: precondition(request.body.isEmpty)
        case .length(let length): precondition(request.body.count == length)
        case .chunked: precondition(request.body.count <= 1_000)
        }
        precondition(request.head.version == .http10 || request.head.request.authority?.isEmpty == false)
        precondition(request.head.request.path?.isEmpty == false)
    }
    if let rejection = outcome.rejection { precondition(rejection.rule.hasPrefix("RFC ") && (400...505).contains(rejection.status.code)) }
}
